// rate-limiter-flexible: counts by a script.
'use strict';
const assert = require('assert');
const Redis = require('ioredis');
const { RateLimiterRedis } = require('rate-limiter-flexible');

describe('rate-limiter-flexible', function () {
  const storeClient = new Redis(Number(process.env.REDIS_PORT));
  after(() => storeClient.quit());

  it('lets so many through', async function () {
    const limiter = new RateLimiterRedis({ storeClient, keyPrefix: 'a', points: 3, duration: 3600 });
    for (const remainingPoints of [2, 1, 0]) {
      const result = await limiter.consume('user');
      assert.strictEqual(result.remainingPoints, remainingPoints);
      assert.strictEqual(result.isFirstInDuration, remainingPoints === 2);
    }
    const refused = await limiter.consume('user').then(() => assert.fail('let through'), (refused) => refused);
    assert.strictEqual(refused.consumedPoints, 4);
    assert.ok(refused.msBeforeNext > 3500000 && refused.msBeforeNext <= 3600000);
    assert.strictEqual((await limiter.consume('other')).remainingPoints, 2);
    assert.strictEqual((await limiter.reward('user', 2)).consumedPoints, 2);
    assert.strictEqual((await limiter.penalty('user')).consumedPoints, 3);
    assert.strictEqual((await limiter.get('user')).remainingPoints, 0);
    assert.strictEqual(await limiter.delete('user'), true);
    assert.strictEqual(await limiter.get('user'), null);
  });

  it('blocks who asks too often, for a time', async function () {
    const limiter = new RateLimiterRedis({ storeClient, keyPrefix: 'b', points: 1, duration: 1, blockDuration: 3600 });
    await limiter.consume('user');
    const refused = await limiter.consume('user').then(() => assert.fail('let through'), (refused) => refused);
    assert.ok(refused.msBeforeNext > 3500000);
    assert.ok(await storeClient.pttl('b:user') > 3500000);
  });
});
