import { MemoryStore } from '../../lib/stores/memory/index.js';
import { describeBackend } from './contract.js';

describeBackend('memory', {
  open: (_folder, _cacheName, options, now) => new MemoryStore(options, now),
  persistent: false,
  leases: false,
});
