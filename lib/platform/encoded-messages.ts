import * as diagnostics from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import * as http from 'node:http';
import * as https from 'node:https';
import { checkedCoding, EncodedBody } from './content-coding.js';
import { brandOf, shared } from './shared-state.js';

/** The property of a request's `beforeRedirect` function that contains its observer. */
const OBSERVER = /* @__PURE__ */ Symbol.for(brandOf('encodedMessages'));

type Observed = { [OBSERVER]?: EncodedMessages };

/** The object by which axios sends a request. */
export interface HttpTransport {
  request(options: http.RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest;
}

/** The members of a config of axios that are read or replaced. */
interface SendingConfig {
  /** A function of this request alone. */
  beforeRedirect?: object | undefined;
  transport?: HttpTransport;
  maxRedirects?: number | undefined;
  timeout?: number | undefined;
}

/**
 * Keeps the encoded body of the response to one request of axios. axios decodes a body without its end as if it were
 * whole, and returns no encoded bytes.
 */
export class EncodedMessages {
  readonly #limit: number;
  #request: object | undefined;
  #body: EncodedBody | undefined;

  /** @param limit bytes of a body that are kept, until the body's own limit is set */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Observes the responses to a request, which follow-redirects sends unless the config names another transport. */
  observe(config: SendingConfig): void {
    const { beforeRedirect, transport, maxRedirects, timeout } = config;
    // The timer of axios for the connection belongs to its own transport.
    if (transport || (maxRedirects === 0 && !timeout)) config.transport = this.#through(transport);
    if (!beforeRedirect) return;
    shared('responseSubscription', subscribe);
    (beforeRedirect as Observed)[OBSERVER] = this;
  }

  /** Returns a transport that observes the response. */
  #through(own: HttpTransport | undefined): HttpTransport {
    return {
      request: (options, onResponse) => {
        const sender = own ?? (options.protocol === 'https:' ? https : http);
        const request: ClientRequest = sender.request(options, (response) => {
          this.add((response as { req?: ClientRequest }).req ?? request, response);
          onResponse(response);
        });
        return request;
      },
    };
  }

  /** Keeps the bytes of a response, without a listener: the first one of `data` would let them flow. */
  add(request: object, response: IncomingMessage): void {
    const coding = checkedCoding(response.headers?.['content-encoding']);
    // Part of a transport's body may have been read already.
    const isUnread = response.readableLength === 0 && !response.readableEnded;
    const body = coding !== undefined && isUnread ? new EncodedBody(coding, this.#limit) : undefined;
    this.#request = request;
    this.#body = body;
    if (!body) return;
    const { push } = response;
    const value = (chunk: Uint8Array | null, encoding?: BufferEncoding) => {
      if (chunk) body.add(chunk);
      return push.call(response, chunk, encoding);
    };
    Object.defineProperty(response, 'push', { configurable: true, writable: true, value });
  }

  /** Returns the body of the response to the request; undefined if it has no coding, or was not observed. */
  bodyOf(request: unknown): EncodedBody | undefined {
    return request === this.#request ? this.#body : undefined;
  }
}

/** The members of a request of follow-redirects. */
interface Redirectable {
  _redirectable?: { _options?: { beforeRedirects?: { config?: Observed } } };
}

/** Node publishes each response of an HTTP/1 request before anything reads it. */
function subscribe(): object {
  diagnostics.subscribe?.('http.client.response.finish', (message) => {
    const { request, response } = message as { request: ClientRequest & Redirectable; response: IncomingMessage };
    request._redirectable?._options?.beforeRedirects?.config?.[OBSERVER]?.add(request, response);
  });
  return {};
}
