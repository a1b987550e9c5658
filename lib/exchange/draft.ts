import type { BodyForm, ResponseRecord } from '../models/record.js';
import { randomHex16 } from '../platform/random.js';
import { initialAge } from '../policy/age.js';
import type { Fields } from '../policy/messages.js';
import { storedFields } from '../policy/storable.js';
import { variantOf, varyNames } from '../policy/vary.js';
import { countsInVary } from '../request/cache-key.js';
import { urlIndexNames } from '../request/index-names.js';
import { redactHops, redactRequest, redactUrl, storedHeaders } from '../request/redaction.js';
import type { Call } from './call.js';
import type { OriginAnswer } from './origin.js';

/** A response as it would be stored, its lifetime not settled yet; undefined where `Vary: *` makes storing pointless. */
export function draftOf(call: Call, answer: OriginAnswer): ResponseRecord | undefined {
  const { request, settings, key } = call;
  const vary = varyNames(answer.headers, countsInVary(settings));
  if (vary === '*') return undefined;
  return {
    kind: 'response',
    key,
    receivedAt: answer.responseTime,
    staleAt: answer.responseTime,
    indexes: call.cache.stored.indexes(urlIndexNames(request.method, [request.url, answer.url], settings)),
    order: 0,
    stamp: randomHex16(),
    initialAge: initialAge(answer, answer.requestTime, answer.responseTime),
    status: answer.status,
    statusText: answer.statusText,
    headers: keptFields(call, answer.headers),
    url: redactUrl(answer.url, settings),
    request: redactRequest(request, settings),
    history: redactHops(answer.hops, settings),
    vary,
    variant: vary.length === 0 ? '' : variantOf(vary, request.headers),
    tags: [],
    bodyForm: answer.bodyForm as BodyForm,
    body: answer.body,
  };
}

/** What is stored of a response's fields: those that may be, without secrets. */
export function keptFields({ settings }: Call, headers: Fields): Fields {
  return storedHeaders(storedFields(headers, settings), settings);
}
