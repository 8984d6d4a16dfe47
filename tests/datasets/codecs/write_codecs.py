"""Encodes the frames of camera `top` in episode 0 of ../images as HEVC and as H.264, 10 frames a second."""

import io
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

HERE = Path(__file__).resolve().parent
rows = pq.read_table(HERE.parent / "images/data/chunk-000/file-000.parquet").to_pylist()
frames = [
    np.asarray(Image.open(io.BytesIO(row["observation.images.top"]["bytes"])).convert("RGB"))
    for row in rows
    if row["episode_index"] == 0
]
for codec, name in (("libx265", "hevc"), ("libx264", "h264")):
    with av.open(str(HERE / f"{name}.mp4"), "w") as file:
        stream = file.add_stream(codec, 10, options={"g": "5", "crf": "8"})
        stream.pix_fmt, stream.width, stream.height = "yuv420p", frames[0].shape[1], frames[0].shape[0]
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())
