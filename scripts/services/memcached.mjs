import { existsSync } from 'node:fs';
import { installDebian, startServer } from './server.mjs';

/** @type {import('./server.mjs').Service} */
export const memcached = {
  name: 'memcached',
  how: 'apt-get install memcached',
  isInstalled: () => existsSync('/usr/bin/memcached') || existsSync('/usr/local/bin/memcached'),
  install: () => installDebian('memcached'),
  start: () =>
    startServer({
      url: (port) => `127.0.0.1:${port}`,
      command: ({ port }) => ['memcached', '-l', '127.0.0.1', '-p', String(port), '-U', '0', '-u', 'nobody'],
    }),
};
