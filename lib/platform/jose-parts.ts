/**
 * The parts of jose that signing uses, in a module of their own that loads on demand. jose is an ES module alone; the
 * CommonJS build carries a CommonJS copy of these parts, since Jest's default mode and `node:vm` load no ES modules.
 */
export { FlattenedSign } from 'jose';
