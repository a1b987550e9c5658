import type { MongoClient } from 'mongodb';

/** Called before a method of a collection. */
type BeforeCommand = (collection: string, method: string) => Promise<void>;

const METHODS = new Set(['findOne', 'updateMany', 'bulkWrite']);

/** Returns a client whose collections call `before` first; everything else is the client's own. */
export function hooked(client: MongoClient, before: BeforeCommand): object {
  return {
    db(name: string) {
      const db = client.db(name);
      const collection = (collectionName: string, options: object) =>
        new Proxy(db.collection(collectionName, options), {
          get(target, method) {
            const own = Reflect.get(target, method) as unknown;
            if (typeof own !== 'function') return own;
            if (!METHODS.has(String(method))) return own.bind(target);
            return async (...given: unknown[]) => {
              await before(collectionName, String(method));
              return own.apply(target, given);
            };
          },
        });
      return new Proxy(db, {
        get(target, member) {
          if (member === 'collection') return collection;
          const own = Reflect.get(target, member) as unknown;
          return typeof own === 'function' ? own.bind(target) : own;
        },
      });
    },
  };
}
