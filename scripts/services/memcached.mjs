import { findProgram } from './programs.mjs';
import { installDebian, startServer } from './server.mjs';

/** @type {import('./server.mjs').Service} */
export const memcached = {
  name: 'memcached',
  how: 'apt-get install memcached, or brew install memcached',
  isInstalled: () => findProgram('memcached') !== undefined,
  install: () => installDebian('memcached'),
  start: () =>
    startServer({
      url: (port) => `127.0.0.1:${port}`,
      command: ({ port }) => [
        findProgram('memcached') ?? 'memcached',
        '-l',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        '0',
        '-u',
        'nobody',
      ],
    }),
};
