// Parses the output of RADV_DEBUG=shaderstats,asm for a pipeline.

/** RADV's names of the statistics, by their names in the report. */
const STATS = /** @type {const} */ ({
  vgprs: 'VGPRs',
  spilledVgprs: 'Spilled VGPRs',
  spilledSgprs: 'Spilled SGPRs',
  lds: 'LDS size',
  scratch: 'Scratch size',
  subgroupsPerSimd: 'Subgroups per SIMD',
  instructions: 'Instructions',
  valu: 'VALU',
  vopd: 'VOPD',
  salu: 'SALU',
  vmem: 'VMEM',
  smem: 'SMEM',
  latency: 'Latency',
  inverseThroughput: 'Inverse Throughput',
});

/**
 * @param {string} text the compiler's output for one pipeline
 * @returns {Record<string, number> | string} the numbers, or what is missing
 */
export const parseRadv = (text) => {
  /** @type {Record<string, number>} */
  const numbers = {};
  for (const [key, name] of Object.entries(STATS)) {
    const match = new RegExp(`^${name}: (\\d+)`, 'm').exec(text);
    if (!match) return `RADV printed no '${name}'`;
    numbers[key] = Number(match[1]);
  }
  return { ...numbers, ...matrixLoop(text) };
};

/**
 * Counts WMMA and dot4 instructions, and the LDS loads in the blocks that contain them.
 * @param {string} text
 */
const matrixLoop = (text) => {
  const blocks = text.split(/^BB\d+:$/m).slice(1);
  const count = (/** @type {RegExp} */ pattern) =>
    blocks
      .filter((block) => /^\tv_(wmma|dot4)_/m.test(block))
      .reduce((sum, block) => sum + (block.match(pattern)?.length ?? 0), 0);
  return { wmma: count(/^\tv_wmma_/gm), dot4: count(/^\tv_dot4_/gm), ldsLoads: count(/^\tds_load_/gm) };
};

/** @param {Record<string, number>} row @returns {string[]} problems */
export const radvFaults = ({ spilledVgprs, spilledSgprs, scratch }) => [
  ...(spilledVgprs > 0 ? [`${spilledVgprs} spilled VGPRs`] : []),
  ...(spilledSgprs > 0 ? [`${spilledSgprs} spilled SGPRs`] : []),
  ...(scratch > 0 ? [`${scratch} bytes of scratch`] : []),
];
