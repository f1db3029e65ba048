// Compiles WGSL sources with the WebGPU of its runtime, the same file in two of them:
//   node tools/compile-wgsl.mjs SOURCES.json [Dawn's options, such as backend=null]     Dawn, with Tint
//   deno run --allow-read tools/compile-wgsl.mjs SOURCES.json                            wgpu, with Naga
//
// SOURCES.json is a list of { name, code }; each has one entry point. Standard output has a JSON object per line: first { adapter, features }
// of the device, which has all features and limits that the library asks for, then per source, in order, { name } if it compiles, { name, error },
// or { name, lacks } with the feature that it enables and the device does not have.
import { readFileSync } from 'node:fs';

/** Features by WGSL's names of their extensions. @type {Record<string, string>} */
const FEATURES = {
  f16: 'shader-f16',
  subgroups: 'subgroups',
  chromium_experimental_subgroup_matrix: 'chromium-experimental-subgroup-matrix',
};
const LIMITS = /** @type {const} */ ([
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
]);

/** @param {object} line */
const write = (line) => console.log(JSON.stringify(line));

const [file, ...options] = process.argv.slice(2);
/** @type {{ name: string, code: string }[]} */
const sources = JSON.parse(readFileSync(file, 'utf8'));
const gpu = 'Deno' in globalThis ? navigator.gpu : (await import('webgpu')).create(options);
const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error('There is no adapter. VK_ICD_FILENAMES can name a Vulkan driver.');
const requiredFeatures = /** @type {GPUFeatureName[]} */ (Object.values(FEATURES)).filter((name) =>
  adapter.features.has(name),
);
const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
const { vendor, description } = adapter.info;
write({ adapter: description || vendor, features: requiredFeatures });

for (const { name, code } of sources) {
  const lacks = Array.from(code.matchAll(/^enable (\w+);/gm), ([, extension]) => FEATURES[extension] ?? extension).find(
    (feature) => !device.features.has(feature),
  );
  if (lacks) {
    write({ name, lacks });
    continue;
  }
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label: name, code });
  const failed = await device.createComputePipelineAsync({ label: name, layout: 'auto', compute: { module } }).then(
    () => undefined,
    (/** @type {Error} */ error) => error.message,
  );
  const rejected = await device.popErrorScope();
  const error = rejected?.message ?? failed;
  write({ name, ...(error && { error: error.trim() }) });
}
process.exit(0); // Dawn's threads would keep the process alive.
