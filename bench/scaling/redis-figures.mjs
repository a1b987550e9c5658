import { createClient } from '@keyv/redis';

/**
 * Opens a connection that reads figures of a server of Redis.
 *
 * @param {string} url
 */
export async function openFigures(url) {
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  const info = async (/** @type {string} */ section) => {
    const text = String(await client.sendCommand(['INFO', section]));
    return Object.fromEntries(text.split('\r\n').map((line) => line.split(':')));
  };
  return {
    /** Microseconds of processor time since the server started. */
    async cpu() {
      const { used_cpu_sys, used_cpu_user } = await info('cpu');
      return (Number(used_cpu_sys) + Number(used_cpu_user)) * 1e6;
    },
    /** Bytes that the server uses. */
    memory: async () => Number((await info('memory')).used_memory),
    /** Commands of clients since the last reset: those that scripts run do not count. */
    async commands() {
      const stats = await info('commandstats');
      return ['get', 'mget', 'evalsha', 'eval', 'zscore', 'zrangebyscore'].reduce((sum, name) => {
        const calls = /calls=(\d+)/.exec(stats[`cmdstat_${name}`] ?? '')?.[1];
        return sum + Number(calls ?? 0);
      }, 0);
    },
    reset: () => client.sendCommand(['CONFIG', 'RESETSTAT']),
    connections: async () => Number((await info('clients')).connected_clients) - 1,
    rows: async (/** @type {string} */ pattern) =>
      /** @type {unknown[]} */ (/** @type {unknown} */ (await client.sendCommand(['KEYS', pattern]))).length,
    close: () => client.destroy(),
  };
}
