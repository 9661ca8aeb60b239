// BullMQ: queues whose every step is a script.
'use strict';
const assert = require('assert');
const { once } = require('events');
const { FlowProducer, Queue, QueueEvents, Worker } = require('bullmq');

const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };

describe('BullMQ', function () {
  let queue, events, workers, number = 0;

  beforeEach(async function () {
    number += 1;
    workers = [];
    queue = new Queue(`queue-${number}`, { connection });
    events = new QueueEvents(queue.name, { connection });
    await events.waitUntilReady();
  });

  afterEach(async function () {
    await Promise.all(workers.map((worker) => worker.close()));
    await events.close();
    await queue.obliterate({ force: true });
    await queue.close();
  });

  function work(process, options) {
    const worker = new Worker(queue.name, process, { connection, ...options });
    workers.push(worker);
    return worker;
  }

  const finished = (jobs) => Promise.all(jobs.map((job) => job.waitUntilFinished(events)));

  it('does jobs in order and keeps their results', async function () {
    const done = [];
    const numbers = [...Array(30).keys()];
    const jobs = await queue.addBulk(numbers.map((value) => ({ name: 'square', data: { value } })));
    assert.strictEqual(await queue.getWaitingCount(), 30);
    work(async (job) => { done.push(job.data.value); return job.data.value ** 2; });
    assert.deepStrictEqual(await finished(jobs), numbers.map((value) => value ** 2));
    assert.deepStrictEqual(done, numbers);
    assert.strictEqual(await queue.getCompletedCount(), 30);
    const kept = await queue.getJob(jobs[7].id);
    assert.strictEqual(await kept.getState(), 'completed');
    assert.strictEqual(kept.returnvalue, 49);
  });

  it('shares jobs among workers, each once', async function () {
    const done = [];
    const process = async (job) => { done.push(job.id); };
    for (let i = 0; i < 3; i++) work(process, { concurrency: 5 });
    const jobs = await queue.addBulk(Array(60).fill({ name: 'job', data: {} }));
    await finished(jobs);
    assert.deepStrictEqual(done.sort(), jobs.map((job) => job.id).sort());
  });

  it('does important jobs first', async function () {
    const done = [];
    const jobs = [];
    for (const priority of [5, 1, 3, 1, 2]) jobs.push(await queue.add('job', { priority }, { priority }));
    assert.deepStrictEqual(await queue.getJobCounts('prioritized'), { prioritized: 5 });
    await jobs[0].changePriority({ priority: 1 });
    work(async (job) => { done.push(job.id); });
    await finished(jobs);
    assert.deepStrictEqual(done, [1, 3, 0, 4, 2].map((index) => jobs[index].id));
  });

  it('does delayed jobs later', async function () {
    const done = [];
    const late = await queue.add('late', {}, { delay: 300 });
    const later = await queue.add('later', {}, { delay: 3600 * 1000 });
    assert.strictEqual(await late.getState(), 'delayed');
    const soon = await queue.add('soon', {});
    work(async (job) => { done.push(job.name); });
    await finished([late, soon]);
    assert.deepStrictEqual(done, ['soon', 'late']);
    assert.ok(late.timestamp + 300 <= (await queue.getJob(late.id)).processedOn);
    await later.promote();
    await finished([later]);
    assert.deepStrictEqual(await queue.getJobCounts('delayed', 'completed'), { delayed: 0, completed: 3 });
  });

  it('tries again what fails', async function () {
    const job = await queue.add('job', {}, { attempts: 3, backoff: { type: 'exponential', delay: 10 } });
    const hopeless = await queue.add('hopeless', {}, { attempts: 2 });
    work(async (job) => {
      if (job.name === 'hopeless' || job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade}`);
      return 'at last';
    });
    assert.strictEqual(await job.waitUntilFinished(events), 'at last');
    await assert.rejects(hopeless.waitUntilFinished(events), /attempt 1/);
    assert.deepStrictEqual((await queue.getFailed()).map((failed) => failed.id), [hopeless.id]);
    assert.strictEqual((await queue.getJob(job.id)).attemptsMade, 3);
  });

  it('finishes a parent after its children', async function () {
    const flow = new FlowProducer({ connection });
    const child = (value) => ({ name: 'child', queueName: queue.name, data: { value } });
    const parent = { name: 'parent', queueName: queue.name, data: {}, children: [child(20), child(22)] };
    const { job } = await flow.add(parent);
    assert.strictEqual(await job.getState(), 'waiting-children');
    work(async (job) => {
      if (job.name === 'child') return job.data.value;
      return Object.values(await job.getChildrenValues()).reduce((sum, value) => sum + value, 0);
    });
    assert.strictEqual(await job.waitUntilFinished(events), 42);
    await flow.close();
  });

  it('adds a job once while it is there, and cleans up', async function () {
    const first = await queue.add('job', { first: true }, { jobId: 'only' });
    await queue.add('job', { first: false }, { jobId: 'only' });
    assert.strictEqual(await queue.getWaitingCount(), 1);
    work(async (job) => job.data.first);
    assert.strictEqual(await first.waitUntilFinished(events), true);
    assert.deepStrictEqual(await queue.clean(0, 10, 'completed'), ['only']);
    assert.strictEqual(await queue.getJob('only'), undefined);
  });

  it('repeats jobs, and pauses', async function () {
    const worker = work(async () => {});
    await queue.upsertJobScheduler('often', { every: 50 }, { name: 'tick' });
    for (let i = 0; i < 3; i++) await once(worker, 'completed');
    assert.strictEqual(await queue.removeJobScheduler('often'), true);
    await queue.pause();
    assert.strictEqual(await queue.isPaused(), true);
    const job = await queue.add('job', {});
    assert.strictEqual((await queue.getJobCounts('paused')).paused, 1);
    await queue.resume();
    await job.waitUntilFinished(events);
  });

  it('keeps to a rate', async function () {
    const process = async () => {};
    work(process, { limiter: { max: 2, duration: 200 } });
    const jobs = await queue.addBulk(Array(5).fill({ name: 'job', data: {} }));
    await finished(jobs);
    const times = await Promise.all(jobs.map(async (job) => (await queue.getJob(job.id)).processedOn));
    assert.ok(times[4] - times[0] >= 200, String(times));
  });
});
