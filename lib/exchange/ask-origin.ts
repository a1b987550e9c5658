import type { ResponseRecord } from '../models/record.js';
import type { Fields } from '../policy/messages.js';
import { completedResponse, missingRange } from '../policy/range.js';
import { conditionsFor, isConditional, refusesAddedFields, validates } from '../policy/validation.js';
import type { OriginResponse, SharedRequest } from './origin.js';
import { isSameTarget } from './redirects.js';
import type { RequestContext } from './request-context.js';

/** The parameters of a request to the origin. */
export interface Question {
  readonly stored: ResponseRecord | undefined;
  /** Whether the stored response is to be confirmed by the origin. */
  readonly revalidate: boolean;
  /** Absent for a stream, which is not shared. */
  readonly shared?: SharedRequest | undefined;
}

/** The origin's response, and whether it confirms the stored one. */
export interface Answer {
  readonly response: OriginResponse;
  readonly confirmed: boolean;
}

/**
 * Sends a request to the origin: unconditional, as a question whether the stored response is still valid, or for the bytes
 * that the stored response lacks. Asks again without the cache's own conditions if their answer cannot be used.
 *
 * @throws the HTTP client's error if no response came
 */
export async function askOrigin(context: RequestContext, question: Question): Promise<Answer> {
  const { stored, revalidate } = question;
  if (stored && !revalidate && !context.settings.forceRefresh && !context.request.streamed) {
    return { response: await completeStored(context, stored, question), confirmed: false };
  }
  // A validator means nothing to another target, and the target of a redirect may have changed.
  const conditions = revalidate && stored?.history.length === 0 ? conditionsFor(context.request, stored) : undefined;
  const response = await send(context, conditions, question);
  if (!stored || !conditions) return { response, confirmed: false };
  const isNotModified = response.status === 304;
  if (isNotModified && isSameTarget(context, stored, response) && validates(context.request, stored, response)) {
    return { response, confirmed: true };
  }
  // RFC 9111 section 4.3.4: a 304 for another representation, or a 412, answers a condition that only the cache set.
  const repeats = refusesAddedFields(conditions, response.status) || (isNotModified && !isConditional(context.request));
  if (!repeats) return { response, confirmed: false };
  response.stream?.discard();
  return { response: await send(context, undefined, question), confirmed: false };
}

/** RFC 9110 section 14: asks for the bytes that the stored part lacks, or for the whole if they do not fit. */
async function completeStored(
  context: RequestContext,
  stored: ResponseRecord,
  question: Question,
): Promise<OriginResponse> {
  const missing = missingRange(context.request, stored);
  const response = await send(context, missing, question);
  if (refusesAddedFields(missing, response.status)) return send(context, undefined, question);
  if (!missing || response.status !== 206) return response;
  // The redirect may have another target now, with other bytes under the same validator.
  const base = isSameTarget(context, stored, response) ? stored : undefined;
  return completedResponse(response, base) ?? (await send(context, undefined, question));
}

function send(
  { origin }: RequestContext,
  conditions: Fields | undefined,
  { shared }: Question,
): Promise<OriginResponse> {
  return shared ? origin.send(conditions, shared) : origin.open(conditions);
}
