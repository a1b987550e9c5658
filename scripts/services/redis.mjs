import { existsSync } from 'node:fs';
import { installDebian, startServer } from './server.mjs';

/** @type {import('./server.mjs').Service} */
export const redis = {
  name: 'redis',
  how: 'apt-get install redis-server',
  isInstalled: () => existsSync('/usr/bin/redis-server') || existsSync('/usr/local/bin/redis-server'),
  install: () => installDebian('redis-server'),
  start: () =>
    startServer({
      url: (port) => `redis://127.0.0.1:${port}`,
      command: ({ port, folder }) => {
        const options = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
        return ['redis-server', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
      },
    }),
};
