"""One operation: the real one on the mock, and its value."""

import numpy as np

import ttnn

from .tensor import Tensor

# Say where and how a kernel runs, not what it computes. The data type, layout and place of the
# output are read from the tensor that TTNN makes.
_NO_VALUE = frozenset(
    """memory_config dtype program_config compute_kernel_config core_grid sub_core_grids sub_device_id
    global_cb optional_output_tensor output_tensor output_tensors optional_tensor fast_and_approximate_mode
    use_multicore use_low_perf override_memory_config grid_size tile config reshape_tile_mode
    skip_padding_fill numeric_stable output_tile recip_tensor queue_id""".split()
)


class Work:
    """One run of an operation, which a trace may repeat."""

    __slots__ = ("name", "compute", "outputs", "inputs", "zero_filling", "flops", "read", "written")

    def __init__(self, name, compute, inputs, outputs, zero_filling, flops):
        self.name = name
        self.compute = compute
        self.inputs = inputs
        self.outputs = outputs
        self.zero_filling = zero_filling
        self.flops = flops
        self.read = sum(operand.bytes for operand in inputs)
        self.written = sum(operand.bytes for operand in outputs)

    @property
    def reads(self):
        return [operand.memory for operand in self.inputs]

    @property
    def writes(self):
        return [operand.memory for operand in self.outputs]

    def run(self):
        with np.errstate(all="ignore"):
            values = self.compute()
            if isinstance(values, Part):
                self.outputs[0].write_part(values.index, values.value)
                return
            for operand, value in zip(self.outputs, values if isinstance(values, (list, tuple)) else [values]):
                if value.shape != operand.shape:
                    raise RuntimeError(
                        f"ttnn_double: {self.name} gives {value.shape}, and TTNN says {operand.shape}"
                    )
                operand.write(value, self.zero_filling)


class Part:
    """What an operation writes into a part of its first argument or output; the index is over the padded shape."""

    __slots__ = ("index", "value")

    def __init__(self, index, value):
        self.index = index
        self.value = value


class Operation:
    """A callable under TTNN's name; ``function`` is what TTNN has without its decorator."""

    def __init__(self, name, real, values, settings, *, in_place=False, zero_filling=False, flops=None):
        self.name = name
        self._real = getattr(real, "function", real)
        self._values = values
        self._settings = settings
        self._in_place = in_place
        self._zero_filling = zero_filling
        self._flops = flops
        if hasattr(real, "function"):
            self.function = self

    def __repr__(self):
        return f"ttnn_double.{self.name}"

    def __call__(self, *args, **kwargs):
        tensors = []
        operands, reals = [], []
        for argument in args:
            operand, real = _split(argument, tensors)
            operands.append(operand)
            reals.append(real)
        real_kwargs, value_kwargs, destinations = {}, {}, []
        for key, argument in kwargs.items():
            into = destinations if key in _NO_VALUE else tensors
            operand, real_kwargs[key] = _split(argument, into)
            if key not in _NO_VALUE:
                value_kwargs[key] = operand
        owner = next((t.owner for t in tensors + destinations if t.owner is not None), None)
        if owner is None:
            return self._on_host(reals, real_kwargs, operands, value_kwargs)
        return self._on_device(owner, tensors, destinations, reals, real_kwargs, operands, value_kwargs)

    def _on_host(self, reals, real_kwargs, operands, value_kwargs):
        result = self._real(*reals, **real_kwargs)
        if result.storage_type() == ttnn.StorageType.DEVICE:
            raise NotImplementedError(f"ttnn_double has no {self.name} from the host to a device")
        return self._settings.tensor.on_host(result, self._values(*operands, **value_kwargs))

    def _on_device(self, owner, tensors, destinations, reals, real_kwargs, operands, value_kwargs):
        owner.statistics.count("calls")
        programs = owner.real.num_program_cache_entries()
        result = self._real(*reals, **real_kwargs)
        compiled = owner.real.num_program_cache_entries() - programs
        if compiled:
            owner.statistics.count("compiled", compiled)
            owner.refuse_in_capture(f"{self.name} that was not compiled before, so that its program is uploaded")
        several = isinstance(result, (list, tuple))
        results = [Tensor.on_device(real, owner) for real in (result if several else [result])]
        given = {id(t.operand.memory): t for t in tensors}
        written = {id(t.operand.memory) for t in destinations}
        if self._in_place or not all(
            id(r.operand.memory) in given and id(r.operand.memory) not in written for r in results
        ):
            self._run(owner, tensors, results, operands, value_kwargs)
        # Otherwise TTNN gave views: of the same memory, in another shape, and no device ran anything.
        return type(result)(results) if several else results[0]

    def _run(self, owner, tensors, results, operands, value_kwargs):
        compute = lambda: self._values(*operands, **value_kwargs)
        outputs = [result.operand for result in results]
        inputs = [tensor.operand for tensor in tensors]
        flops = self._flops(*operands, **value_kwargs) if self._flops else sum(o.volume for o in outputs)
        work = Work(self.name, compute, inputs, outputs, self._zero_filling, flops)
        issue(owner, work)


def issue(owner, work, cq_id=None):
    """Runs work on a queue of the device, or leaves it to the trace that is being captured."""
    if owner.capture is not None:
        owner.capture.record(work)  # nothing runs: the outputs keep what is in their memory
        return
    owner.issue(owner.queue(cq_id), work.name, work.reads, work.writes)
    work.run()
    owner.statistics.ran(work)


def _split(argument, tensors):
    """An argument as the value functions see it, and as TTNN does; its tensors are added to the list."""
    if isinstance(argument, Tensor):
        operand = argument.check()
        tensors.append(argument)
        return operand, argument.real
    if isinstance(argument, (list, tuple)) and any(isinstance(item, Tensor) for item in argument):
        pairs = [_split(item, tensors) for item in argument]
        return [p[0] for p in pairs], type(argument)(p[1] for p in pairs)
    return argument, argument
