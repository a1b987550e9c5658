import { expect, test } from '@jest/globals';
import { MongoBulkWriteError, MongoNetworkError, MongoServerError } from 'mongodb';
import { classified } from '../../../lib/stores/mongodb/failures.js';
import { StoreFailure } from '../../../lib/stores/store-failure.js';

/** Returns the kind of failure that an error of a write is classified as. */
function kind(error: Error, access: 'read' | 'write' = 'write') {
  const failure = classified(error, access);
  return failure instanceof StoreFailure ? failure.kind : failure;
}

/** Returns the error of a bulk write that failed with the given cause. */
function bulkError(cause: Error | { message: string; code: number; writeErrors: [] }) {
  return new MongoBulkWriteError(cause as never, {} as never);
}

test('A lost connection in the error of a bulk write is an outage', () => {
  const closed = new MongoNetworkError('connection 4 to 127.0.0.1:27017 closed');
  expect(kind(bulkError(closed))).toBe('outage');
  expect(kind(closed)).toBe('outage');
});

test('A write that the server answers with an error is a refusal', () => {
  const answer = { message: 'not authorized', code: 13, writeErrors: [] as [] };
  expect(kind(bulkError(answer))).toBe('refusal');
  expect(kind(new MongoServerError(answer))).toBe('refusal');
});

test.each([6, 91, 11_600])('The code %d of a server that answers nothing else is an outage', (code) => {
  expect(kind(bulkError({ message: 'unavailable', code, writeErrors: [] }))).toBe('outage');
});

test('The error of a write is an outage for reads', () => {
  expect(kind(new MongoServerError({ message: 'failed', code: 2 }), 'read')).toBe('outage');
});

test('A document that is too large is a failure of one entry', () => {
  expect(kind(new MongoServerError({ message: 'too large', code: 10_334 }))).toBe('entry');
});
