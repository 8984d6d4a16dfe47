"""Writes a RISC-V program that does nothing, for mock devices: empty_kernel.py FILE.

TT-Metal's loader wants an executable with one loadable segment; section headers; a relocation
section, which may be empty; and a table `.segments` with the address, load address and largest size
of each segment.
"""

import struct
import sys

RETURN = struct.pack("<I", 0x00008067)
SEGMENTS = struct.pack("<3I", 0, 0, 1 << 16)
NULL_SYMBOL = bytes(16)

EXECUTABLE, RISCV = 2, 243
PROGBITS, SYMTAB, STRTAB, RELA = 1, 2, 3, 4
ALLOC_EXECUTE, INFO_LINK = 6, 64
HEADER, PROGRAM_HEADER, SECTION_HEADER = 52, 32, 40

# name, type, flags, content, link, info, size of an entry
SECTIONS = [
    (b"", 0, 0, b"", 0, 0, 0),
    (b".text", PROGBITS, ALLOC_EXECUTE, RETURN, 0, 0, 0),
    (b".rela.text", RELA, INFO_LINK, b"", 4, 1, 12),
    (b".segments", PROGBITS, 0, SEGMENTS, 0, 0, 0),
    (b".symtab", SYMTAB, 0, NULL_SYMBOL, 5, 1, 16),
    (b".shstrtab", STRTAB, 0, None, 0, 0, 0),
]


def program():
    names = b"".join(name + b"\0" for name, *_ in SECTIONS)
    start = HEADER + PROGRAM_HEADER
    content, table, text = b"", b"", None
    for name, kind, flags, data, link, info, entry in SECTIONS:
        data = names if data is None else data
        content += bytes(-(start + len(content)) % 4)
        offset = start + len(content)
        text = offset if name == b".text" else text
        at = names.index(name + b"\0") if name else 0
        table += struct.pack("<10I", at, kind, flags, 0, offset, len(data), link, info, 4, entry)
        content += data
    content += bytes(-(start + len(content)) % 4)
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", EXECUTABLE, RISCV, 1, 0, HEADER, start + len(content), 0,
                          HEADER, PROGRAM_HEADER, 1, SECTION_HEADER, len(SECTIONS), len(SECTIONS) - 1)
    load = struct.pack("<8I", 1, text, 0, 0, len(RETURN), len(RETURN), 5, 4)
    return header + load + content + table


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as file:
        file.write(program())
