/** Fresh ids: UUIDs of version 7, so that new rows land at the end of their index. */
import { randomFillSync } from 'node:crypto';

const POOL_IDS = 256;
const pool = Buffer.alloc(POOL_IDS * 10);
let used = POOL_IDS;

export function uuidv7(): string {
  if (used === POOL_IDS) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used++ * 10;
  const time = Date.now().toString(16).padStart(12, '0');
  const random = pool.toString('hex', at, at + 10);
  const variant = ((pool[at + 2]! & 0x3f) | 0x80).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(1, 4)}-${variant}${random.slice(6, 8)}-${random.slice(8, 20)}`;
}
