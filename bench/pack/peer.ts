// The pack's stages peer and peer-f16: bench:peer's comparison in Node. ONNX Runtime Web comes from the add-on.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../args';

const ADD_ON = join(import.meta.dirname, 'node_modules/onnxruntime-web');
const MISSING =
  'ONNX Runtime Web was not measured: the add-on is missing. Unpack bench-pack-peer.tar.xz where the pack was unpacked; README.md says how it is made.';

runCommand(async () => {
  if (!existsSync(ADD_ON)) throw new Error(MISSING);
  const { compareInNode } = await import('../peer/in-node');
  await compareInNode(process.argv.slice(2));
});
