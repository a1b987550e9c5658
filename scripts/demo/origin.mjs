import { createServer } from 'node:http';

/** A server on a free port of this machine that takes its time. */
export async function startOrigin(delaySeconds) {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ answered: new Date() }));
    }, delaySeconds * 1000);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests: () => requests,
    reset: () => {
      requests = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
