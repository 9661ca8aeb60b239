"""Libraries for Python, and Sidekiq, as their users use them."""

import datetime
import operator
import os
import signal
import subprocess
import time
from pathlib import Path

import huey
import limits
import limits.storage
import limits.strategies
import pytest
import redis
import rq

PORT = int(os.environ["REDIS_PORT"])
PATIENCE = 60


@pytest.fixture
def client():
    with redis.Redis(port=PORT) as client:
        client.flushall()
        yield client


def test_redis_py_locks(client):
    lock, other = client.lock("lock", timeout=3600), client.lock("lock", blocking=False)
    assert lock.acquire(blocking=False)
    assert lock.locked() and lock.owned() and not other.owned()
    assert not other.acquire()
    assert lock.extend(3600) and client.pttl("lock") > 3600 * 1000
    assert lock.reacquire() and client.pttl("lock") <= 3600 * 1000
    with pytest.raises(redis.exceptions.LockError):
        other.release()
    client.script_flush()
    lock.release()
    assert not lock.locked()
    with client.lock("lock", timeout=3600, blocking_timeout=PATIENCE):
        assert not other.acquire()
    # The lock of one that does not come back.
    assert client.lock("lock", timeout=0.05).acquire()
    assert client.lock("lock", blocking_timeout=PATIENCE).acquire()


def test_redis_py_scripts(client):
    add = client.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
    assert [add(keys=["n"], args=[5]), add(keys=["n"], args=[5])] == [5, 10]
    client.script_flush()
    assert add(keys=["n"], args=[5]) == 15
    client.script_flush()
    with client.pipeline() as pipeline:
        pipeline.set("n", 0)
        add(keys=["n"], args=[1], client=pipeline)
        add(keys=["n"], args=[2], client=pipeline)
        assert pipeline.execute() == [True, 1, 3]


@pytest.mark.parametrize("strategy", ["MovingWindow", "FixedWindow", "SlidingWindowCounter"])
def test_limits(client, strategy):
    storage = limits.storage.RedisStorage(f"redis://127.0.0.1:{PORT}")
    limiter = getattr(limits.strategies, f"{strategy}RateLimiter")(storage)
    # A window as long as this does not end while the test runs.
    limit = limits.RateLimitItemPerYear(3, 50)
    assert [limiter.hit(limit, "user") for _ in range(5)] == [True] * 3 + [False] * 2
    assert not limiter.test(limit, "user") and limiter.test(limit, "other")
    assert limiter.get_window_stats(limit, "user").remaining == 0
    assert limiter.hit(limit, "other", cost=2) and limiter.get_window_stats(limit, "other").remaining == 1
    limiter.clear(limit, "user")
    assert limiter.hit(limit, "user")
    storage.reset()
    assert limiter.get_window_stats(limit, "other").remaining == 3


def test_limits_by_a_window_that_moves(client):
    limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.RedisStorage(f"redis://127.0.0.1:{PORT}"))
    limit = limits.RateLimitItemPerSecond(2)
    assert limiter.hit(limit, "user") and limiter.hit(limit, "user")
    while not limiter.hit(limit, "user"):
        pass


def fails():
    raise ValueError("as it should")


def test_rq(client):
    queue, urgent = rq.Queue("default", connection=client), rq.Queue("urgent", connection=client)
    jobs = [queue.enqueue(operator.mul, number, number) for number in range(10)]
    last = queue.enqueue(operator.add, 1, 2, depends_on=jobs)
    first = urgent.enqueue(operator.add, 3, 4)
    bad = queue.enqueue(fails, retry=rq.Retry(max=2))
    late = queue.enqueue_at(datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), operator.add, 5, 6)
    assert last.get_status() == "deferred" and late.get_status() == "scheduled"
    for name in queue.scheduled_job_registry.get_job_ids():
        queue.scheduled_job_registry.remove(name)
        queue.enqueue_job(queue.fetch_job(name))
    worker = rq.SimpleWorker([urgent, queue], connection=client)
    assert worker.work(burst=True)
    assert [job.return_value() for job in jobs] == [number * number for number in range(10)]
    assert (first.return_value(), last.return_value(), late.return_value()) == (7, 3, 11)
    assert first.refresh() is None and first.ended_at <= min(job.ended_at for job in map(refreshed, jobs))
    assert bad.get_status() == "failed" and bad.id in queue.failed_job_registry
    assert "as it should" in bad.latest_result().exc_string
    assert queue.is_empty() and queue.finished_job_registry.count == 12


def refreshed(job):
    job.refresh()
    return job


@pytest.mark.parametrize("kind", [huey.RedisHuey, huey.PriorityRedisHuey, huey.RedisExpireHuey])
def test_huey(client, kind):
    tasks = kind("tasks", port=PORT, results=True, blocking=True)
    tries = []

    @tasks.task()
    def add(one, other):
        return one + other

    @tasks.task(retries=2)
    def fails_at_first():
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("not yet")
        client.rpush("tries", len(tries))

    @tasks.task()
    @tasks.lock_task("alone")
    def alone():
        return "alone"

    consumer = tasks.create_consumer(workers=2, check_worker_health=False)
    consumer.start()
    try:
        results = [add(number, 1) for number in range(20)]
        assert [wait(result) for result in results] == list(range(1, 21))
        chain = tasks.enqueue(add.s(1, 2).then(add, 3).then(add, 4))
        assert [wait(result) for result in chain] == [3, 6, 10]
        fails_at_first()
        assert client.blpop("tries", PATIENCE) == (b"tries", b"3")
        assert wait(alone()) == "alone"
        assert wait(add.schedule((5, 6), delay=0.1)) == 11
        never = add.schedule((1, 1), delay=3600)
        # A worker takes it from the queue first.
        deadline = time.monotonic() + PATIENCE
        while len(tasks.scheduled()) != 1:
            assert time.monotonic() < deadline
        never.revoke()
        assert never.is_revoked()
    finally:
        consumer.stop(graceful=True)


def wait(result):
    return result.get(blocking=True, timeout=PATIENCE, preserve=True)


def test_sidekiq(client, tmp_path):
    jobs = str(Path(__file__).with_name("sidekiq.rb"))
    env = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{PORT}/0"}
    with open(tmp_path / "log", "w+") as log:
        worker = subprocess.Popen(["sidekiq", "-c", "3", "-r", jobs], env=env, cwd=tmp_path, stdout=log, stderr=log)
        try:
            subprocess.run(["ruby", jobs, "enqueue"], env=env, cwd=tmp_path, check=True, timeout=PATIENCE)
            done = [client.blpop(["done"], PATIENCE) for _ in range(23)]
            assert None not in done, (tmp_path / "log").read_text()
            done = sorted(value.decode() for _, value in done)
            assert done == sorted([f"now {number}" for number in range(20)] + ["at last", "late", "urgent"])
            assert client.zcard("schedule") == client.zcard("retry") == 0
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
    assert client.get("stat:processed") == b"24" and client.get("stat:failed") == b"1"
