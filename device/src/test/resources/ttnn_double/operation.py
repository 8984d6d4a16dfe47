"""One operation: the real one on the mock, and its value."""

import numpy as np
import ttnn

from .tensor import Tensor

# Options that say where and how a kernel runs, not what it computes. The data type, layout and place
# of an output are read from the tensor that TTNN makes.
_NO_VALUE = frozenset(
    """memory_config dtype program_config compute_kernel_config core_grid sub_core_grids sub_device_id
    global_cb optional_output_tensor output_tensor output_tensors optional_tensor fast_and_approximate_mode
    use_multicore use_low_perf override_memory_config grid_size tile config reshape_tile_mode
    skip_padding_fill numeric_stable output_tile recip_tensor queue_id""".split()
)


class Part:
    """What an operation writes into a part of its output; the index is over the padded shape."""

    __slots__ = ("index", "value")

    def __init__(self, index, value):
        self.index = index
        self.value = value


class Operation:
    """A callable under TTNN's name; ``function`` is what TTNN has without its decorator."""

    def __init__(self, name, real, definition, settings):
        self.name = name
        self.definition = definition
        self._real = getattr(real, "function", real)
        self._settings = settings
        if hasattr(real, "function"):
            self.function = self

    def __repr__(self):
        return f"ttnn_double.{self.name}"

    def __call__(self, *args, **options):
        call = _Call(args, options)
        if call.owner is None:
            return self._on_host(call)
        owner = call.owner
        owner.statistics.count("calls")
        known = owner.real.num_program_cache_entries()
        result, programs = owner.programs.run(
            self.name, lambda: self._real(*call.reals, **call.real_options), call
        )
        compiled = owner.real.num_program_cache_entries() - known
        if compiled:
            owner.statistics.count("compiled", compiled)
            owner.refuse_in_capture(f"{self.name}, whose program was not compiled before and is uploaded,")
        if not isinstance(result, (list, tuple)):
            result = Tensor.on_device(result, owner)
            self._compute(call, [result], programs)
            return result
        results = [Tensor.on_device(real, owner) for real in result]
        self._compute(call, results, programs)
        return type(result)(results)

    def _on_host(self, call):
        result = self._real(*call.reals, **call.real_options)
        if not isinstance(result, ttnn.Tensor) or result.storage_type() == ttnn.StorageType.DEVICE:
            raise NotImplementedError(f"ttnn_double has no {self.name} of host tensors")
        return self._settings.tensor.on_host(result, self.definition.values(*call.operands, **call.options))

    def _compute(self, call, results, programs):
        inputs = [tensor.operand for tensor in call.inputs]
        outputs = [result.operand for result in results]
        given = {id(operand.memory) for operand in inputs}
        given -= {id(tensor.operand.memory) for tensor in call.destinations}
        if not self.definition.in_place and all(id(output.memory) in given for output in outputs):
            return  # TTNN gave views: the same memory in another shape
        call.owner.issue(Work(self, call, inputs, outputs, programs))


class _Call:
    """The arguments of a call: as TTNN takes them, and as the value functions do."""

    def __init__(self, args, options):
        self.inputs = []
        self.destinations = []
        self.reals = []
        self.operands = []
        for argument in args:
            operand, real = _split(argument, self.inputs)
            self.operands.append(operand)
            self.reals.append(real)
        self.options = {}
        self.real_options = {}
        self.other_options = {}
        for name, argument in options.items():
            idle = name in _NO_VALUE
            operand, real = _split(argument, self.destinations if idle else self.inputs)
            (self.other_options if idle else self.options)[name] = operand
            self.real_options[name] = real
        self.owner = next((t.owner for t in self.inputs + self.destinations if t.owner is not None), None)


def _split(argument, tensors):
    """An argument as the value functions see it, and as TTNN does; its tensors are added to the list."""
    if isinstance(argument, Tensor):
        operand = argument.check()
        tensors.append(argument)
        return operand, argument.real
    if isinstance(argument, (list, tuple)) and any(isinstance(item, Tensor) for item in argument):
        pairs = [_split(item, tensors) for item in argument]
        return [operand for operand, _ in pairs], type(argument)(real for _, real in pairs)
    return argument, argument


class Work:
    """One run of an operation, which a trace may repeat. It holds operands, so that tensors may be freed."""

    __slots__ = (
        "name",
        "programs",
        "inputs",
        "outputs",
        "flops",
        "read",
        "written",
        "_definition",
        "_args",
        "_options",
    )

    def __init__(self, operation, call, inputs, outputs, programs):
        self.name = operation.name
        self.programs = programs
        self.inputs = inputs
        self.outputs = outputs
        self._definition = operation.definition
        self._args = call.operands
        self._options = call.options
        flops = self._definition.flops
        self.flops = (
            flops(*self._args, **self._options) if flops else sum(output.volume for output in outputs)
        )
        self.read = sum(operand.bytes for operand in inputs)
        self.written = sum(operand.bytes for operand in outputs)

    @property
    def reads(self):
        return [operand.memory for operand in self.inputs]

    @property
    def writes(self):
        return [operand.memory for operand in self.outputs]

    def run(self):
        """Computes the values from what the inputs hold now, and writes them to the outputs."""
        with np.errstate(all="ignore"):
            values = self._definition.values(*self._args, **self._options)
            if isinstance(values, Part):
                self.outputs[0].write_part(values.index, values.value)
                return
            for output, value in zip(self.outputs, values if isinstance(values, (list, tuple)) else [values]):
                if value.shape != output.shape:
                    raise RuntimeError(
                        f"ttnn_double: {self.name} gives {value.shape}, and TTNN {output.shape}"
                    )
                output.write(value, self._definition.zero_filling)
