#!/usr/bin/env python3
"""Runs the defects of Python libraries that COMPARE.md names; fails if a defect does not appear.

`pip install -r benches/peers/python/requirements.txt`, then `python benches/peers/python/defects.py`. The same
calls under this library are in tests/from_python."""

import asyncio
import sys
import time

import pybreaker
import tenacity


def an_async_function_never_opens_the_circuit():
    breaker = pybreaker.CircuitBreaker(fail_max=2)
    ran = 0

    @breaker
    async def fails():
        nonlocal ran
        ran += 1
        raise ConnectionError

    async def calls():
        for _ in range(100):
            try:
                await fails()
            except ConnectionError:
                pass

    asyncio.run(calls())
    return f"100 failures of an `async def`: circuit {breaker.current_state}, {ran} calls ran", ran == 100


def stop_after_delay_overshoots():
    start = time.monotonic()

    @tenacity.retry(stop=tenacity.stop_after_delay(0.1), wait=tenacity.wait_fixed(0.4))
    def fails():
        raise ConnectionError

    try:
        fails()
    except tenacity.RetryError:
        pass
    elapsed = time.monotonic() - start
    return f"`stop_after_delay(0.1)` with waits of 0.4 s: ends after {elapsed:.1f} s", elapsed > 0.3


def exponential_jitter_has_no_jitter_at_the_maximum():
    wait = tenacity.wait_exponential_jitter(initial=1, max=10)
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = 10
    waits = {wait(state) for _ in range(100)}
    return f"`wait_exponential_jitter(max=10)` at attempt 10: {len(waits)} distinct wait in 100", len(waits) == 1


def main():
    probes = [
        ("pybreaker", an_async_function_never_opens_the_circuit),
        ("tenacity", stop_after_delay_overshoots),
        ("tenacity", exponential_jitter_has_no_jitter_at_the_maximum),
    ]
    missing = 0
    for peer, probe in probes:
        text, is_shown = probe()
        print(f"{peer}: {text}")
        missing += not is_shown
    if missing:
        sys.exit(f"error: {missing} defects do not appear; correct COMPARE.md")


if __name__ == "__main__":
    main()
