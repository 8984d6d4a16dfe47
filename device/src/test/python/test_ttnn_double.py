"""What ttnn_double promises: values, memory, traces, queues, and that it refuses what it does not know."""

import importlib.metadata
import json
import math
import os
import pathlib
import subprocess
import sys
import unittest

import numpy as np
import ttnn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "resources"))

import ttnn_double  # noqa: E402
import ttnn_double.unrounded  # noqa: E402
from ttnn_double import formats  # noqa: E402
from ttnn_double.values import DEFINITIONS  # noqa: E402

TILE, ROWS = ttnn.TILE_LAYOUT, ttnn.ROW_MAJOR_LAYOUT
BF16, BFP8, FP32 = ttnn.bfloat16, ttnn.bfloat8_b, ttnn.float32


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class WithDevice(unittest.TestCase):
    """A device for each test, two queues, rounded values."""

    module = ttnn_double
    options = {"trace_region_size": 1 << 20, "num_command_queues": 2}

    def setUp(self):
        self.ttnn = self.module
        self.device = self.ttnn.open_mesh_device(
            ttnn.MeshShape(1, 1),
            dispatch_core_config=ttnn.DispatchCoreConfig(ttnn.DispatchCoreType.WORKER),
            **self.options,
        )
        self.open = True

    def tearDown(self):
        if self.open:
            self.ttnn.close_mesh_device(self.device)

    def upload(self, array, dtype=BF16, layout=TILE):
        return self.ttnn.Tensor(array, dtype, self.device, layout)

    def host(self, array, dtype=BF16, layout=TILE):
        return self.ttnn.Tensor(array, dtype, None, layout)

    def read(self, tensor):
        return self.ttnn.to_dtype(tensor.cpu(), FP32).to_numpy()

    def books(self):
        return json.loads(self.ttnn.statistics())[0]["stages"][""]


class FormatsTest(unittest.TestCase):
    def test_bf16_is_rounded_as_ttnn_does(self):
        bits = np.random.default_rng(2).integers(0, 1 << 32, 1 << 16, dtype=np.uint32)
        halves = (np.arange(1 << 16, dtype=np.uint32) << np.uint32(16)) + np.uint32(0x8000)
        for source in (bits.view(np.float32), halves.view(np.float32)):
            array = source[np.isfinite(source)]
            array = array[: array.size // 64 * 64].reshape(-1, 64)
            wanted = formats.read(ttnn.Tensor(array, BF16, None, TILE))
            np.testing.assert_array_equal(formats.round_to(BF16, array), wanted)

    def test_bf16_keeps_infinities_and_nan(self):
        array = np.array([[np.inf, -np.inf, np.nan, 0.0]], np.float32)
        np.testing.assert_array_equal(formats.round_to(BF16, array), array)

    def test_rounding_leaves_its_argument_alone(self):
        array = normal(4, 4)
        before = array.copy()
        formats.round_to(BF16, array)
        np.testing.assert_array_equal(array, before)

    def test_bfp8_shares_an_exponent_among_sixteen_columns(self):
        array = np.full((1, 32), 1 / 128, np.float32)
        array[0, 0] = 1.0
        rounded = formats.round_to(BFP8, array)
        self.assertEqual(rounded[0, 0], 1.0)
        self.assertEqual(rounded[0, 16], 1 / 128, "a block of its own")
        self.assertNotEqual(rounded[0, 1], 1 / 128 + 1 / 512)
        small = array.copy()
        small[0, 1] = 1 / 512
        self.assertEqual(formats.round_to(BFP8, small)[0, 1], 0.0, "too small beside 1")


class ValuesTest(WithDevice):
    def test_a_linear_layer_is_right_to_half_an_ulp_of_its_output(self):
        x, w, b = normal(1, 1, 51, 64), normal(64, 96, seed=2), normal(1, 96, seed=3)
        exact = formats.round_to(BF16, x).astype(np.float64) @ formats.round_to(BF16, w) + formats.round_to(
            BF16, b
        )
        found = self.read(self.ttnn.linear(self.upload(x), self.upload(w), bias=self.upload(b)))
        np.testing.assert_allclose(found, exact, rtol=2**-8 * 1.01, atol=1e-4)

    def test_outputs_take_the_data_type_they_ask_for(self):
        x = self.upload(normal(1, 1, 32, 64))
        wide = self.ttnn.multiply(x, 1 / 3, dtype=FP32)
        np.testing.assert_array_equal(self.read(wide), self.read(x) * np.float32(1 / 3))
        narrow = self.ttnn.typecast(wide, BFP8)
        np.testing.assert_array_equal(self.read(narrow), formats.round_to(BFP8, self.read(wide)))

    def test_what_ttnn_refuses_is_refused_by_the_double(self):
        x, y = self.upload(normal(1, 1, 32, 64)), self.upload(normal(1, 1, 32, 64))
        with self.assertRaisesRegex(RuntimeError, "TT_FATAL|TT_THROW"):
            self.ttnn.linear(x, y)

    def test_heads_that_are_no_whole_tiles_are_refused(self):
        with self.assertRaisesRegex(RuntimeError, "72 columns a head"):
            self.ttnn.experimental.nlp_create_qkv_heads(
                self.upload(normal(1, 1, 32, 3 * 4 * 72)), num_heads=4, transpose_k_heads=False
            )
        heads = self.upload(normal(1, 2, 32, 72))
        with self.assertRaisesRegex(RuntimeError, "72 columns a head"):
            self.ttnn.experimental.nlp_concat_heads(heads)
        narrow = self.upload(normal(1, 2, 32, 40))
        with self.assertRaisesRegex(RuntimeError, "40 columns a head"):
            self.ttnn.experimental.rotary_embedding_hf(
                narrow, self.upload(normal(1, 1, 32, 40)), self.upload(normal(1, 1, 32, 40))
            )

    def test_rotary_embedding_gives_the_rows_of_whole_tiles(self):
        table = self.upload(normal(1, 1, 64, 64))
        self.assertEqual(
            self.ttnn.experimental.rotary_embedding(self.upload(normal(1, 2, 51, 64)), table, table).shape[2],
            64,
        )

    def test_attention_is_causal_unless_told_otherwise(self):
        q, k, v = (self.upload(normal(1, 1, 32, 32, seed=s)) for s in range(3))
        attention = self.ttnn.transformer.scaled_dot_product_attention
        first = self.read(attention(q, k, v))[0, 0, 0]
        np.testing.assert_array_equal(first, self.read(v)[0, 0, 0])
        self.assertGreater(np.abs(self.read(attention(q, k, v, is_causal=False))[0, 0, 0] - first).max(), 0.1)


class UnknownTest(WithDevice):
    def test_an_operation_without_a_value_is_named(self):
        with self.assertRaisesRegex(NotImplementedError, "ttnn.topk"):
            self.ttnn.topk(self.upload(normal(1, 1, 32, 64)), 4)
        with self.assertRaisesRegex(NotImplementedError, "ttnn.experimental.fft"):
            self.ttnn.experimental.fft(self.upload(normal(1, 1, 32, 64)))

    def test_a_name_that_ttnn_lacks_is_no_attribute(self):
        with self.assertRaises(AttributeError):
            self.ttnn.no_such_operation

    def test_an_option_that_could_change_the_value_is_not_ignored(self):
        q = self.upload(normal(1, 1, 32, 32))
        with self.assertRaisesRegex(TypeError, "sliding_window_size"):
            self.ttnn.transformer.scaled_dot_product_attention(q, q, q, sliding_window_size=32)

    def test_an_activation_without_a_value_is_named(self):
        x = self.upload(normal(1, 1, 32, 64))
        hard = ttnn.UnaryWithParam(ttnn.UnaryOpType.HARDMISH)
        with self.assertRaisesRegex(NotImplementedError, "HARDMISH"):
            self.ttnn.multiply(x, x, input_tensor_a_activations=[hard])


class MemoryTest(WithDevice):
    def test_operations_in_place_change_the_buffer_that_others_view(self):
        x = self.upload(normal(1, 2, 32, 64))
        view = self.ttnn.reshape(x, [1, 1, 64, 64])
        before = self.read(x)
        self.ttnn.multiply_(x, 2.0)
        np.testing.assert_array_equal(self.read(view).reshape(before.shape), 2 * before)

    def test_a_given_output_takes_the_values(self):
        x, out = self.upload(normal(1, 1, 32, 64)), self.upload(normal(1, 1, 32, 64, seed=2))
        result = self.ttnn.add(x, x, output_tensor=out)
        np.testing.assert_array_equal(self.read(out), 2 * self.read(x))
        self.assertEqual(result.buffer_address(), out.buffer_address())
        self.ttnn.add(x, x, output_tensor=x)
        np.testing.assert_array_equal(self.read(x), self.read(out))

    def test_copy_writes_its_destination_and_no_other(self):
        x, y = self.upload(normal(1, 1, 32, 64)), self.upload(normal(1, 1, 32, 64, seed=2))
        self.ttnn.copy(x, y)
        self.ttnn.multiply_(x, 0.0)
        np.testing.assert_array_equal(self.read(y), formats.round_to(BF16, normal(1, 1, 32, 64)))

    def test_a_cache_is_filled_tile_by_tile(self):
        cache = self.upload(np.zeros((2, 1, 128, 64), np.float32))
        rows = normal(1, 1, 64, 64)
        self.ttnn.fill_cache(cache, self.upload(rows), 1, update_idx=32)
        found = self.read(cache)
        np.testing.assert_array_equal(found[1, :, 32:96], formats.round_to(BF16, rows)[0])
        self.assertEqual(np.count_nonzero(found[0]) + np.count_nonzero(found[1, :, :32]), 0)

    def test_an_upload_replaces_the_values_of_a_tensor(self):
        x = self.upload(normal(1, 1, 51, 64))
        y = normal(1, 1, 51, 64, seed=2)
        self.ttnn.copy_host_to_device_tensor(self.host(y), x)
        np.testing.assert_array_equal(self.read(x), formats.round_to(BF16, y))

    def test_new_memory_holds_what_nobody_wrote(self):
        x = self.ttnn.empty([1, 1, 32, 64], dtype=BF16, layout=TILE, device=self.device)
        self.assertTrue(np.isnan(self.read(x)).all())

    def test_a_tensor_cannot_be_used_after_it_was_deallocated(self):
        x = self.upload(normal(1, 1, 32, 64))
        self.ttnn.deallocate(x)
        self.assertFalse(x.is_allocated())
        for use in (lambda: self.ttnn.add(x, x), x.cpu):
            with self.assertRaisesRegex(RuntimeError, "was deallocated"):
                use()
        self.ttnn.deallocate(x)  # TTNN lets that pass

    def test_views_share_memory_and_its_end(self):
        """TTNN frees the memory of a view with its source, and of a source with its view."""
        for free_source in (True, False):
            x = self.upload(normal(1, 1, 32, 64))
            view = self.ttnn.reshape(x, [1, 32, 64])
            self.assertEqual(view.buffer_address(), x.buffer_address())
            freed, left = (x, view) if free_source else (view, x)
            self.ttnn.deallocate(freed, False)
            self.read(left)
            self.ttnn.deallocate(freed)
            with self.assertRaisesRegex(RuntimeError, "what it views, was deallocated"):
                left.cpu()

    def test_a_tensor_cannot_be_used_after_its_device_was_closed(self):
        x = self.upload(normal(1, 1, 32, 64))
        self.ttnn.close_mesh_device(self.device)
        self.open = False
        with self.assertRaisesRegex(RuntimeError, "after its device was closed"):
            self.ttnn.add(x, x)
        with self.assertRaisesRegex(RuntimeError, "after its device was closed"):
            x.cpu()

    def test_device_memory_is_free_again_when_a_tensor_is_forgotten(self):
        def allocated():
            return self.ttnn.get_memory_view(self.device, ttnn.BufferType.DRAM).total_bytes_allocated_per_bank

        before = allocated()
        x = self.upload(normal(1, 1, 320, 640))
        self.assertGreater(allocated(), before)
        del x
        self.assertEqual(allocated(), before)


class PaddingTest(WithDevice):
    def test_attention_reads_the_padding_of_masked_keys(self):
        """With a mask, the kernel attends the rows that fill the last tile of 51 keys."""
        q = self.upload(normal(1, 1, 32, 64))
        k, v = (self.ttnn.multiply(self.upload(normal(1, 1, 51, 64, seed=s)), 1.0) for s in (2, 3))
        mask = self.upload(np.zeros((1, 1, 32, 51), np.float32))
        attention = self.ttnn.transformer.scaled_dot_product_attention
        right = self.read(attention(q, k, v, is_causal=False, scale=0.1))
        self.assertLess(np.abs(right).max(), 5)
        wrong = self.read(attention(q, k, v, attn_mask=mask, is_causal=False, scale=0.1))
        self.assertFalse(np.allclose(right, wrong, atol=0.1))

    def test_a_product_reads_the_inner_padding_of_block_floats(self):
        w = self.upload(normal(51, 64))
        stale = self.ttnn.multiply(w, 1.0)
        x = self.upload(normal(1, 1, 32, 51))
        right = self.read(self.ttnn.matmul(x, w))
        np.testing.assert_array_equal(self.read(self.ttnn.matmul(x, stale)), right)
        self.assertLess(np.abs(right).max(), 100)
        minimal = self.ttnn.experimental.minimal_matmul
        spoiled = self.read(minimal(self.ttnn.multiply(x, 1.0), stale))
        self.assertGreater(np.abs(spoiled).max(), 1e6)


class TraceTest(WithDevice):
    def setUp(self):
        super().setUp()
        self.x = self.upload(normal(1, 1, 32, 64))
        self.w = self.upload(normal(64, 64, seed=2))

    def body(self):
        """Two operations, the first result freed in between."""
        y = self.ttnn.linear(self.x, self.w)
        z = self.ttnn.multiply(y, 2.0)
        self.ttnn.deallocate(y)
        return z

    def capture(self, body=None):
        trace = self.ttnn.begin_trace_capture(self.device, cq_id=0)
        try:
            return trace, (body or self.body)()
        finally:
            self.ttnn.end_trace_capture(self.device, trace, cq_id=0)

    def replay(self, trace):
        self.ttnn.execute_trace(self.device, trace, cq_id=0, blocking=True)

    def test_nothing_runs_while_a_trace_is_captured(self):
        eager = self.read(self.body())
        trace, out = self.capture()
        self.assertTrue(np.isnan(self.read(out)).all())
        self.replay(trace)
        np.testing.assert_array_equal(self.read(out), eager)

    def test_a_replay_uses_what_the_buffers_hold_now(self):
        self.body()
        trace, out = self.capture()
        x = normal(1, 1, 32, 64, seed=9)
        self.ttnn.copy_host_to_device_tensor(self.host(x), self.x)
        self.replay(trace)
        np.testing.assert_array_equal(self.read(out), self.read(self.body()))

    def test_operations_in_place_are_repeated_with_each_replay(self):
        self.ttnn.multiply_(self.x, 1.0)
        before = self.read(self.x)
        trace, _ = self.capture(lambda: self.ttnn.multiply_(self.x, 2.0))
        np.testing.assert_array_equal(self.read(self.x), before)
        self.replay(trace)
        self.replay(trace)
        np.testing.assert_array_equal(self.read(self.x), 4 * before)

    def refused(self, what, act):
        trace = self.ttnn.begin_trace_capture(self.device, cq_id=0)
        with self.assertRaisesRegex(RuntimeError, what):
            act()
        self.ttnn.end_trace_capture(self.device, trace, cq_id=0)
        self.ttnn.release_trace(self.device, trace)

    def test_a_trace_holds_no_transfer_and_no_allocation(self):
        array, on = normal(1, 1, 32, 64), {"dtype": BF16, "layout": TILE, "device": self.device}
        self.refused("an upload", lambda: self.upload(array))
        self.refused("an upload", lambda: self.host(array).to(self.device))
        self.refused("an upload", lambda: self.ttnn.to_device(self.host(array), self.device))
        self.refused("an upload", lambda: self.ttnn.copy_host_to_device_tensor(self.host(array), self.x))
        self.refused("zeros", lambda: self.ttnn.zeros([1, 1, 32, 64], **on))
        self.refused("full", lambda: self.ttnn.full([1, 1, 32, 64], 2.0, **on))
        self.refused("empty", lambda: self.ttnn.empty([1, 1, 32, 64], **on))
        self.refused("a download", self.x.cpu)
        self.refused("a download", lambda: self.ttnn.from_device(self.x))
        self.refused("a download", lambda: self.ttnn.copy_device_to_host_tensor(self.x, self.host(array)))

    def test_a_trace_holds_no_event_and_no_other_trace(self):
        event = self.ttnn.record_event(self.device, 1)
        other, _ = self.capture(lambda: None)
        self.refused("wait_for_event", lambda: self.ttnn.wait_for_event(0, event))
        self.refused("record_event", lambda: self.ttnn.record_event(self.device, 0))
        self.refused("event_synchronize", lambda: self.ttnn.event_synchronize(event))
        self.refused("synchronize_device", lambda: self.ttnn.synchronize_device(self.device))
        self.refused("begin_trace_capture", lambda: self.ttnn.begin_trace_capture(self.device, cq_id=0))
        self.refused("execute_trace", lambda: self.replay(other))
        self.refused("release_trace", lambda: self.ttnn.release_trace(self.device, other))

    def test_a_trace_holds_no_program_that_was_not_compiled(self):
        self.refused("linear.*not compiled", lambda: self.ttnn.linear(self.x, self.w))
        self.body()
        self.capture()

    def test_a_device_is_not_closed_inside_a_capture(self):
        self.refused("is closed between", lambda: self.ttnn.close_mesh_device(self.device))

    def test_a_capture_ends_once_and_on_its_queue(self):
        trace = self.ttnn.begin_trace_capture(self.device, cq_id=0)
        with self.assertRaisesRegex(RuntimeError, "ends on another"):
            self.ttnn.end_trace_capture(self.device, trace, cq_id=1)
        self.ttnn.end_trace_capture(self.device, trace, cq_id=0)
        with self.assertRaisesRegex(RuntimeError, "not being captured"):
            self.ttnn.end_trace_capture(self.device, trace, cq_id=0)

    def test_a_released_trace_is_not_replayed(self):
        trace, _ = self.capture(lambda: None)
        self.ttnn.release_trace(self.device, trace)
        with self.assertRaisesRegex(RuntimeError, "was released"):
            self.replay(trace)

    def test_a_trace_whose_input_was_freed_is_not_replayed(self):
        self.body()
        trace, _ = self.capture()
        self.ttnn.deallocate(self.w)
        with self.assertRaisesRegex(RuntimeError, "buffer was deallocated"):
            self.replay(trace)

    def test_memory_handed_out_after_a_capture_is_overwritten_by_its_replay(self):
        self.body()
        trace, out = self.capture()
        late = self.upload(normal(1, 1, 32, 64, seed=5))  # where the freed intermediate was
        before = self.read(late)
        self.assertTrue(np.isfinite(before).all())
        self.replay(trace)
        self.assertTrue(np.isnan(self.read(late)).all())
        self.assertTrue(np.isfinite(self.read(out)).all())

    def test_memory_handed_out_before_a_capture_is_left_alone_by_its_replay(self):
        self.body()
        early = self.upload(normal(1, 1, 32, 64, seed=5))
        before = self.read(early)
        trace, _ = self.capture()
        self.replay(trace)
        np.testing.assert_array_equal(self.read(early), before)


class NoTraceRegionTest(WithDevice):
    options = {}

    def test_a_device_without_a_trace_region_takes_no_trace(self):
        trace = self.ttnn.begin_trace_capture(self.device, cq_id=0)
        with self.assertRaisesRegex(RuntimeError, "trace_region_size"):
            self.ttnn.end_trace_capture(self.device, trace, cq_id=0)


class QueuesTest(WithDevice):
    def setUp(self):
        super().setUp()
        self.x = self.upload(normal(1, 1, 32, 64))
        self.next = self.host(normal(1, 1, 32, 64, seed=2))
        self.ttnn.synchronize_device(self.device)

    def test_an_operation_that_does_not_wait_for_an_upload_of_another_queue_races(self):
        self.ttnn.copy_host_to_device_tensor(self.next, self.x, cq_id=1)
        with self.assertRaisesRegex(RuntimeError, "queue 1 has written"):
            self.ttnn.multiply(self.x, 2.0)

    def test_an_upload_that_does_not_wait_for_a_reader_of_another_queue_races(self):
        self.ttnn.multiply(self.x, 2.0)
        with self.assertRaisesRegex(RuntimeError, "queue 0 has read"):
            self.ttnn.copy_host_to_device_tensor(self.next, self.x, cq_id=1)

    def test_events_order_queues(self):
        for _ in range(3):
            self.ttnn.copy_host_to_device_tensor(self.next, self.x, cq_id=1)
            self.ttnn.wait_for_event(0, self.ttnn.record_event(self.device, 1))
            self.ttnn.multiply(self.x, 2.0)
            self.ttnn.wait_for_event(1, self.ttnn.record_event(self.device, 0))

    def test_a_blocking_read_orders_what_the_host_does_next(self):
        y = self.ttnn.multiply(self.x, 2.0)
        y.cpu(blocking=True)
        self.ttnn.copy_host_to_device_tensor(self.next, self.x, cq_id=1)
        self.ttnn.event_synchronize(self.ttnn.record_event(self.device, 1))
        self.ttnn.multiply(self.x, 2.0)

    def test_a_replay_races_like_its_operations(self):
        self.ttnn.multiply(self.x, 2.0)
        trace = self.ttnn.begin_trace_capture(self.device, cq_id=0)
        self.ttnn.multiply(self.x, 2.0)
        self.ttnn.end_trace_capture(self.device, trace, cq_id=0)
        self.ttnn.synchronize_device(self.device)
        self.ttnn.copy_host_to_device_tensor(self.next, self.x, cq_id=1)
        with self.assertRaisesRegex(RuntimeError, "a trace on queue 0"):
            self.ttnn.execute_trace(self.device, trace, cq_id=0, blocking=False)


class SeveralDevicesTest(unittest.TestCase):
    """On a board of two chips, which a process of its own sees."""

    def test_devices_are_independent_and_closed_as_a_set(self):
        board = pathlib.Path(os.environ["TT_METAL_MOCK_CLUSTER_DESC_PATH"]).with_name("P300.yaml")
        if not board.exists():
            self.skipTest(f"no {board}")
        program = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import ttnn_double as ttnn
options = {"dispatch_core_config": ttnn.DispatchCoreConfig(ttnn.DispatchCoreType.WORKER)}
mesh = ttnn.open_mesh_device(ttnn.MeshShape(1, 2), **options)
a, b = mesh.create_submeshes(ttnn.MeshShape(1, 1))
x, y = (
    ttnn.Tensor(np.full((32, 32), n, np.float32), ttnn.bfloat16, device, ttnn.TILE_LAYOUT)
    for n, device in ((1, a), (2, b))
)
print(*(ttnn.to_dtype(ttnn.add(t, t).cpu(), ttnn.float32).to_numpy().max() for t in (x, y)))
ttnn.close_mesh_device(a)
try:
    y.cpu()
except RuntimeError as e:
    print(e)
ttnn.close_mesh_device(b)
ttnn.close_mesh_device(mesh)
"""
        run = subprocess.run(
            [sys.executable, "-c", program, sys.path[0]],
            env=os.environ | {"TT_METAL_MOCK_CLUSTER_DESC_PATH": str(board)},
            capture_output=True,
            text=True,
        )
        lines = run.stdout.splitlines()
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(lines[0], "2.0 4.0")
        self.assertIn("left open when another was closed", lines[1])


class StatisticsTest(WithDevice):
    def test_operations_transfers_and_programs_are_counted(self):
        x, w = self.upload(normal(1, 1, 51, 64)), self.upload(normal(64, 96))
        y = self.ttnn.linear(x, w, activation="gelu")  # TTNN runs the activation as a program of its own
        self.ttnn.linear(x, w, activation="gelu", core_grid=ttnn.CoreGrid(y=2, x=2))
        self.ttnn.reshape(x, [51, 64])
        y.cpu()
        books = self.books()
        self.assertEqual((books["uploads"], books["uploaded_bytes"]), (2, 2 * 64 * (64 + 96)))
        self.assertEqual((books["downloads"], books["downloaded_bytes"]), (1, 2 * 64 * 96))
        self.assertEqual((books["calls"], books["operations"], books["programs"]), (6, 2, 3))
        self.assertEqual(books["by_program"], {"MatmulDeviceOperation": 2, "UnaryDeviceOperation": 1})
        linear = books["by_operation"]["linear"]
        self.assertEqual((linear["count"], linear["flops"]), (2, 2 * 2 * 64 * 64 * 96))
        self.assertEqual(linear["read"], 2 * 2 * (64 * 64 + 64 * 96))

    def test_a_replay_is_one_call_and_all_its_operations(self):
        x = self.upload(normal(1, 1, 32, 64))
        self.ttnn.multiply(x, 2.0)
        trace = self.ttnn.begin_trace_capture(self.device, cq_id=0)
        y = self.ttnn.multiply(self.ttnn.multiply(x, 2.0), 2.0)
        self.ttnn.end_trace_capture(self.device, trace, cq_id=0)
        self.ttnn.reset_statistics()
        self.ttnn.execute_trace(self.device, trace, cq_id=0, blocking=True)
        self.assertEqual(
            (self.books()["calls"], self.books()["operations"], self.books()["replays"]), (1, 2, 1)
        )
        self.assertTrue(y.is_allocated())

    def test_stages_have_books_of_their_own(self):
        x = self.upload(normal(1, 1, 32, 64))
        self.ttnn.enter_stage("prefix")
        self.ttnn.multiply(x, 2.0)
        stages = json.loads(self.ttnn.statistics())[0]["stages"]
        self.assertEqual((stages[""]["operations"], stages["prefix"]["operations"]), (0, 1))


class GoldensTest(unittest.TestCase):
    def test_every_operation_was_compared_with_upstreams_definition_of_this_version(self):
        version = importlib.metadata.version("ttnn")
        record = json.loads(pathlib.Path(__file__).with_name(f"goldens-{version}.json").read_text())
        self.assertEqual(record["ttnn"], version)
        self.assertEqual(set(record["operations"]), set(DEFINITIONS))
        self.assertLess(max(entry["error"] for entry in record["operations"].values()), 2e-6)


# A block of Gemma, by the double and by numpy in fp64 -----------------------------------------------


class Block:
    """Attention with rotary embedding over heads of 64, and a GeGLU; what a mutant changes is a field."""

    heads, width, hidden, rows = 2, 64, 256, 64

    def __init__(self):
        w = lambda *shape, seed: normal(*shape, seed=seed) / np.float32(math.sqrt(shape[0]))
        self.x = normal(1, 1, self.rows, 128, seed=10)
        self.norm = 1 + normal(1, 128, seed=11) / 10
        self.qkv = w(128, 4 * self.width, seed=12)
        self.out = w(self.heads * self.width, 128, seed=13)
        self.gate, self.up = w(128, self.hidden, seed=14), w(128, self.hidden, seed=15)
        self.down = w(self.hidden, 128, seed=16)
        angles = np.arange(self.rows)[:, None] / 10000 ** (np.arange(32) / 32)
        self.cos = np.cos(np.tile(angles, 2))[None, None].astype(np.float32)
        self.sin = np.sin(np.tile(angles, 2))[None, None].astype(np.float32)
        self.mask = np.where(np.arange(64) < 50, 0, -1e4).astype(np.float32) * np.ones(
            (1, 1, 64, 1), np.float32
        )
        self.activation = ttnn.UnaryOpType.GELU_TANH
        self.epsilon = 1e-6
        self.scale = 1 / 8

    def on(self, module, device):
        upload = lambda a: module.Tensor(a, BF16, device, TILE)
        x, norm = upload(self.x), upload(self.norm)
        h = module.linear(module.rms_norm(x, weight=norm, epsilon=self.epsilon), upload(self.qkv))
        q, k, v = module.experimental.nlp_create_qkv_heads(
            h, num_heads=2, num_kv_heads=1, transpose_k_heads=False
        )
        cos, sin = upload(self.cos), upload(self.sin)
        q, k = (module.experimental.rotary_embedding(t, cos, sin) for t in (q, k))
        mask = None if self.mask is None else upload(self.mask)
        a = module.transformer.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=False, scale=self.scale
        )
        x = module.add(x, module.linear(module.experimental.nlp_concat_heads(a), upload(self.out)))
        h = module.rms_norm(x, weight=norm, epsilon=self.epsilon)
        gelu = ttnn.UnaryWithParam(self.activation)
        g = module.multiply(
            module.linear(h, upload(self.gate)),
            module.linear(h, upload(self.up)),
            input_tensor_a_activations=[gelu],
        )
        y = module.add(x, module.linear(g, upload(self.down)))
        return module.to_dtype(y.cpu(), FP32).to_numpy()[0, 0]

    def exact(self):
        d = lambda a: a.astype(np.float64)
        norm = lambda x: x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * d(self.norm)
        x = d(self.x)[0, 0]
        h = norm(x) @ d(self.qkv)
        q, k, v = h[:, :128].reshape(-1, 2, 64), h[:, 128:192][:, None], h[:, 192:]
        cos, sin = d(self.cos)[0, 0, :, None], d(self.sin)[0, 0, :, None]
        turn = lambda t: t * cos + np.concatenate([-t[..., 32:], t[..., :32]], -1) * sin
        q, k = turn(q), turn(k)[:, 0]
        heads = []
        for i in range(2):
            scores = q[:, i] @ k.T / 8 + d(self.mask)[0, 0]
            e = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(e / e.sum(-1, keepdims=True) @ v)
        x = x + np.concatenate(heads, -1) @ d(self.out)
        h = norm(x)
        g = h @ d(self.gate)
        g = 0.5 * g * (1 + np.tanh(math.sqrt(2 / math.pi) * (g + 0.044715 * g**3)))
        return x + (g * (h @ d(self.up))) @ d(self.down)


def pcc(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


class MutantsTest(unittest.TestCase):
    """Unrounded, a mistake shows against fp64; rounded, it may hide."""

    def outputs(self, module, *blocks):
        device = module.open_mesh_device(
            ttnn.MeshShape(1, 1), dispatch_core_config=ttnn.DispatchCoreConfig(ttnn.DispatchCoreType.WORKER)
        )
        try:
            return [block.on(module, device) for block in blocks]
        finally:
            module.close_mesh_device(device)

    def mutants(self):
        def mutant(**changes):
            block = Block()
            for field, value in changes.items():
                setattr(block, field, value)
            return block

        block = Block()
        return {
            "erf for tanh": mutant(activation=ttnn.UnaryOpType.GELU),
            "sine turned round": mutant(sin=-block.sin),
            "sine and cosine swapped": mutant(sin=block.cos, cos=block.sin),
            "every second position": mutant(
                cos=block.cos[:, :, ::2].repeat(2, 2), sin=block.sin[:, :, ::2].repeat(2, 2)
            ),
            "no mask": mutant(mask=None),
            "no scale": mutant(scale=1.0),
            "epsilon of another norm": mutant(epsilon=1e-3),
        }

    def test_unrounded_every_mutant_is_seen(self):
        mutants = self.mutants()
        exact = Block().exact()
        right, *wrong = self.outputs(ttnn_double.unrounded, Block(), *mutants.values())
        self.assertLess(np.abs(right - exact).max(), 2e-5)
        for name, output in zip(mutants, wrong):
            self.assertGreater(np.abs(output - exact).max(), 2e-4, name)

    def test_rounding_hides_the_wrong_gelu_from_correlation(self):
        exact = Block().exact()
        right, wrong = self.outputs(ttnn_double, Block(), self.mutants()["erf for tanh"])
        self.assertGreater(pcc(right, exact), 0.9999)
        self.assertGreater(pcc(wrong, exact), 0.9999)
        self.assertGreater(np.abs(right - exact).max(), 1e-3)


if __name__ == "__main__":
    unittest.main()
