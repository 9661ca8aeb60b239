// Redlock, with three databases for the independent servers that it wants.
'use strict';
const assert = require('assert');
const Redis = require('ioredis');
const { default: Redlock, ExecutionError } = require('redlock');

describe('Redlock', function () {
  const clients = [0, 1, 2].map((db) => new Redis(Number(process.env.REDIS_PORT), { db }));
  const redlock = new Redlock(clients, { retryCount: 0 });
  after(() => Promise.all(clients.map((client) => client.quit())));

  it('locks, extends and releases', async function () {
    const lock = await redlock.acquire(['a', 'b'], 3600000);
    assert.deepStrictEqual(await Promise.all(clients.map((client) => client.get('b'))), Array(3).fill(lock.value));
    await assert.rejects(redlock.acquire(['b', 'c'], 1000), ExecutionError);
    assert.strictEqual(await clients[0].exists('c'), 0);
    const longer = await lock.extend(7200000);
    assert.ok(await clients[1].pttl('a') > 3600000);
    await longer.release();
    await assert.rejects(longer.release(), ExecutionError);
    await (await redlock.acquire(['b', 'c'], 1000)).release();
  });

  it('needs a majority', async function () {
    await clients[0].set('d', 'of another');
    await (await redlock.acquire(['d'], 3600000)).release();
    await clients[1].set('d', 'of another');
    await assert.rejects(redlock.acquire(['d'], 3600000), ExecutionError);
    assert.strictEqual(await clients[2].exists('d'), 0);
  });

  it('lets one in at a time', async function () {
    const patient = new Redlock(clients, { retryCount: -1, retryDelay: 5, retryJitter: 5 });
    let inside = 0, entries = 0;
    await Promise.all([...Array(10)].map(() => patient.using(['e'], 60000, async () => {
      inside += 1;
      assert.strictEqual(inside, 1);
      await new Promise(setImmediate);
      entries += 1;
      inside -= 1;
    })));
    assert.strictEqual(entries, 10);
  });
});
