"""The work queue's contract, by a clock that moves by hand."""

from __future__ import annotations

import os
import threading
from collections import Counter

import pytest
from sqlflow_operator.workqueue import WorkQueue

from tests.support.waiting import wait_for
from tests.unit.operator.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue[str]:
    return WorkQueue(first_delay=1, last_delay=8, clock=clock.monotonic)


def test_what_waits_already_is_done_once(queue: WorkQueue[str]) -> None:
    for key in "abaab":
        queue.add(key)
    assert len(queue) == 2
    assert [queue.get(), queue.get()] == ["a", "b"]
    assert len(queue) == 0


def test_what_comes_during_the_work_is_done_again_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    assert len(queue) == 0, "one key never twice at a time"
    queue.done("a")
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


def test_delayed_keys_come_in_the_order_of_their_moments(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add_after("late", 5)
    queue.add_after("early", 2)
    queue.add_after("now", 0)
    assert queue.get() == "now"
    clock.sleep(2)
    assert queue.get() == "early"
    clock.sleep(3)
    assert queue.get() == "late"


def test_the_earliest_moment_counts(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add_after("a", 10)
    queue.add_after("a", 3)
    queue.add_after("a", 7)
    clock.sleep(3)
    assert queue.get() == "a"
    queue.done("a")
    queue.add("b")
    clock.sleep(20)
    assert queue.get() == "b", "the later moments were dropped"


def test_added_at_once_takes_the_place_of_a_delay(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add_after("a", 3)
    queue.add("a")
    assert queue.get() == "a"
    queue.done("a")
    clock.sleep(10)
    queue.add("b")
    assert queue.get() == "b"


def test_retries_wait_longer_each_time_until_forgotten(queue: WorkQueue[str]) -> None:
    assert [queue.retry("a") for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    queue.forget("a")
    assert queue.retry("a") == 1
    assert queue.retry("b", at_least=5) == 5


def test_many_failures_do_not_overflow(queue: WorkQueue[str]) -> None:
    for _ in range(2000):
        assert queue.retry("a") <= 8


def test_close_wakes_every_worker() -> None:
    queue: WorkQueue[str] = WorkQueue()
    results: list[object] = []
    threads = [threading.Thread(target=lambda: results.append(queue.get())) for _ in range(3)]
    for thread in threads:
        thread.start()
    queue.close()
    for thread in threads:
        thread.join(5)
    assert results == [None] * 3


def test_many_threads_lose_nothing_and_never_share_a_key() -> None:
    queue: WorkQueue[int] = WorkQueue()
    done: Counter[int] = Counter()
    busy: set[int] = set()
    lock = threading.Lock()
    trouble: list[str] = []

    def work() -> None:
        while (key := queue.get()) is not None:
            with lock:
                if key in busy:
                    trouble.append(f"{key} twice at a time")
                busy.add(key)
            os.sched_yield()
            with lock:
                busy.discard(key)
                done[key] += 1
            queue.done(key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2000):
        queue.add(number % 50)
        if number % 7 == 0:
            queue.add_after(number % 50, 0.001)
    wait_for(lambda: len(done) == 50 and len(queue) == 0 and not busy, "every key is done")
    queue.close()
    for thread in threads:
        thread.join(5)
    assert trouble == []
    assert len(done) == 50
