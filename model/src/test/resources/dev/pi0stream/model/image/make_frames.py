"""Small frames of every kind that the decoder takes, and their pixels according to Pillow.

    python make_frames.py        (Pillow 12 or newer; writes frames.safetensors beside itself)

"NAME.jpg" or "NAME.png" are the bytes of a frame, "pixels.NAME…" its RGB after Image.convert("RGB").
"""

import io
import json
import pathlib
import random
import struct
import zlib

from PIL import Image, ImageCms

TENSORS = {}
random.seed(7)


def picture(width, height):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), (x * 255 // width, y * 255 // height, (x * y + random.randrange(40)) % 256))
    return image


def keep(name, data, pixels=None, size=None):
    TENSORS[name] = ([len(data)], data)
    if pixels is not None:
        TENSORS["pixels." + name] = ([size[1], size[0], 3], pixels)


def write(name, data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    keep(name, data, image.tobytes(), image.size)


def save_all(path):
    header, at = {}, 0
    for name, (shape, data) in TENSORS.items():
        header[name] = {"dtype": "U8", "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in TENSORS.values()))


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def without(data, *markers):
    """A JPEG without some of its segments."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2:at + 4])[0] + 2
        if data[at + 1] not in markers:
            out += data[at:at + length]
        at += length
    return out + data[at:]


def png(width, height, depth, colour, rows, interlace=False, extra=b""):
    """A PNG of unfiltered rows of samples; rows[y][x] is a tuple."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def line(pixels):
        bits = "".join(format(s, f"0{depth}b") for pixel in pixels for s in pixel)
        bits += "0" * (-len(bits) % 8)
        return b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    body = b""
    for left, top, right, down in passes if interlace else [(0, 0, 1, 1)]:
        for y in range(top, height, down):
            if left < width:
                body += line(rows[y][left::right])
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlace))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(body))
            + chunk(b"IEND", b""))


def samples(width, height, bands, depth):
    return [[tuple(random.randrange(1 << depth) for _ in range(bands)) for _ in range(width)] for _ in range(height)]


def main():
    colour = picture(21, 13)
    write("colour-444.jpg", jpeg(colour, subsampling=0))
    write("colour-420.jpg", jpeg(colour, subsampling=2))
    write("progressive.jpg", jpeg(colour, progressive=True))
    write("grey.jpg", jpeg(colour.convert("L")))
    write("restarts.jpg", jpeg(colour, restart_marker_blocks=1))
    write("bare-444.jpg", without(jpeg(colour, subsampling=0), 0xE0))
    write("bare-420.jpg", without(jpeg(colour, subsampling=2), 0xE0))
    write("adobe-rgb.jpg", jpeg(colour, keep_rgb=True))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    write("profile.jpg", jpeg(colour, icc_profile=profile))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter, which convert("RGB") does not undo
    write("turned.jpg", jpeg(colour, exif=exif))
    keep("cmyk.jpg", jpeg(colour.convert("CMYK")))

    for depth in (1, 2, 4, 8):
        write(f"grey-{depth}.png", png(13, 5, depth, 0, samples(13, 5, 1, depth)))
    write("colour-8.png", png(13, 5, 8, 2, samples(13, 5, 3, 8)))
    write("colour-16.png", png(13, 5, 16, 2, samples(13, 5, 3, 16)))
    write("grey-alpha-8.png", png(13, 5, 8, 4, samples(13, 5, 2, 8)))
    write("grey-alpha-16.png", png(13, 5, 16, 4, samples(13, 5, 2, 16)))
    write("colour-alpha-8.png", png(13, 5, 8, 6, samples(13, 5, 4, 8)))
    write("colour-alpha-16.png", png(13, 5, 16, 6, samples(13, 5, 4, 16)))
    write("colour-interlaced.png", png(13, 5, 8, 2, samples(13, 5, 3, 8), interlace=True))
    write("grey-4-interlaced.png", png(13, 5, 4, 0, samples(13, 5, 1, 4), interlace=True))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    write("gamma.png", png(13, 5, 8, 2, samples(13, 5, 3, 8), extra=gamma))
    for depth in (1, 2, 4, 8):
        palette = chunk(b"PLTE", bytes(random.randrange(256) for _ in range(3 << depth)))
        clear = chunk(b"tRNS", bytes(random.randrange(256) for _ in range(1 << depth)))
        write(f"palette-{depth}.png", png(13, 5, depth, 3, samples(13, 5, 1, depth), extra=palette))
        write(f"palette-clear-{depth}.png", png(13, 5, depth, 3, samples(13, 5, 1, depth), extra=palette + clear))
    write("filters.png", save(picture(40, 30)))

    # Pillow keeps sixteen bits of grey apart and clips them; cameras want the upper eight.
    rows = samples(13, 5, 1, 16)
    keep("grey-16.png", png(13, 5, 16, 0, rows), bytes(p[0] >> 8 for row in rows for p in row for _ in range(3)), (13, 5))
    save_all(pathlib.Path(__file__).with_name("frames.safetensors"))


def save(image):
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


main()
