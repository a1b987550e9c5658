import { dynamo } from './dynamo.mjs';
import { memcached } from './memcached.mjs';
import { mongo } from './mongo.mjs';
import { postgres } from './postgres.mjs';
import { redis, redisCluster, redisSentinel } from './redis.mjs';

// The servers of the backends' tests: `install` installs the missing ones; otherwise all are started until Ctrl-C.

const services = [redis, redisCluster, redisSentinel, mongo, dynamo, postgres, memcached];

if (process.argv[2] === 'install') {
  for (const service of services) if (!service.isInstalled()) await service.install();
  const missing = services.filter((service) => !service.isInstalled());
  for (const { name, how } of missing) console.error(`${name} is missing: ${how}`);
  process.exitCode = missing.length === 0 ? 0 : 1;
} else {
  const running = [];
  for (const service of services) {
    if (!service.isInstalled()) {
      console.log(`${service.name}\tleft out: ${service.how}`);
      continue;
    }
    const server = await service.start();
    running.push(server);
    console.log(`${service.name}\t${server.url}`);
  }
  const held = setInterval(() => {}, 60_000);
  process.once('SIGINT', async () => {
    clearInterval(held);
    await Promise.all(running.map((server) => server.stop()));
  });
}
