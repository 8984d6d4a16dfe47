#!/usr/bin/env python3
"""Prints what measure.sh has measured as tables."""

import json
import pathlib
import sys


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
        if path.stat().st_size > 0
    }
    base = mean(results, "bf16")
    print("| | ms a chunk | p50 | p95 | vision | prefix | denoise | TFLOP/s | share of peak | GB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, result in results.items():
        stages = result.get("stageMillis", {})
        columns = [
            f"{result['meanMillis']:.0f}",
            f"{result['p50Millis']:.0f}",
            f"{result['p95Millis']:.0f}",
            *(f"{stages[s]:.0f}" if s in stages else "" for s in ("vision", "prefix", "denoise")),
            f"{result['teraflops']:.3f}" if "teraflops" in result else "",
            f"{100 * result['shareOfPeak']:.1f} %" if "shareOfPeak" in result else "",
            f"{result['peakResidentBytes'] / 1e9:.2f}" if result["peakResidentBytes"] else "",
        ]
        print(f"| {name} | " + " | ".join(columns) + " |")
    print()
    for name in ("lerobot-bf16", "lerobot-frozen", "int8", "state-only", "batch4", "two-views"):
        other = mean(results, name)
        if base and other:
            print(f"{name} / bf16: {other / base:.3f}")
    for some, others in (
        ("lerobot-bf16", "int8"),
        ("lerobot-fp32", "fp32"),
        ("batch4-state-only", "state-only"),
        ("lerobot-two-views", "two-views"),
    ):
        if mean(results, some) and mean(results, others):
            print(f"{some} / {others}: {mean(results, some) / mean(results, others):.3f}")
    for name, result in results.items():
        if result.get("worstCorrelation") is not None:
            print(f"{name}: worst correlation {result['worstCorrelation']:.5f}")


def mean(results: dict, name: str) -> float | None:
    """The mean over all turns of one measurement."""
    values = [r["meanMillis"] for n, r in results.items() if n.split(".")[0] == name]
    return sum(values) / len(values) if values else None


if __name__ == "__main__":
    main()
