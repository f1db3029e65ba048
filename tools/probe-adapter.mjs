// Prints, as one line of JSON, the adapter that Dawn finds with this process's environment. Run by adapters.mjs.
import { create } from 'webgpu';

/** @type {import('./adapters.mjs').Probe} */
let probe = { error: 'Dawn found no adapter that it accepts' };
const adapter = await create([]).requestAdapter();
if (adapter) {
  (await adapter.requestDevice()).destroy();
  probe = { description: adapter.info.description };
}
// Dawn's threads would keep the process alive.
process.stdout.write(`${JSON.stringify(probe)}\n`, () => process.exit(0));
