import { fileURLToPath } from 'node:url';
import { startServer } from './server.mjs';

const CLI = fileURLToPath(new URL('../../node_modules/dynalite/cli.js', import.meta.url));

/** dynalite: DynamoDB's protocol, and its limits, without Amazon. A development dependency. @type {import('./server.mjs').Service} */
export const dynamo = {
  name: 'dynamodb',
  how: 'npm install',
  isInstalled: () => true,
  install: async () => {},
  start: () =>
    startServer({
      url: (port) => `http://127.0.0.1:${port}`,
      command: ({ port, folder }) => [
        process.execPath,
        CLI,
        ...['--host', '127.0.0.1', '--port', String(port), '--path', folder, '--createTableMs', '0'],
      ],
    }),
};
