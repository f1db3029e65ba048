// Reads what NAK_DEBUG=print prints about a pipeline: the final instructions, block by block, and the totals.

/** @typedef {{ index: number, from: number[], to: number[], lines: string[] }} Block */
/** @typedef {{ instructions: number, ffma: number, lds128: number, lds64: number, lds32: number, sts: number, ldg: number, stg: number, bar: number }} Mix */

const FINAL = 'NAK IR after calc_instr_deps:';
/** `block 5 L6 [2, 4] -> {`: index, label, blocks that come before. */
const HEAD = /^block(?:\.u)? (\d+) \S+ \[([\d, ]*)\] -> \{$/;
const TAIL = /^\} -> \[([\d, ]*)\]$/;

/** @param {string} list */
const numbers = (list) => (list.match(/\d+/g) ?? []).map(Number);

/**
 * The control-flow graph of the final instructions.
 * @param {string} text
 * @returns {Block[]}
 */
export const parseBlocks = (text) => {
  const start = text.lastIndexOf(FINAL);
  /** @type {Block[]} */
  const blocks = [];
  if (start < 0) return blocks;
  for (const line of text.slice(start + FINAL.length).split('\n')) {
    const head = HEAD.exec(line);
    const tail = TAIL.exec(line);
    if (head) blocks.push({ index: Number(head[1]), from: numbers(head[2]), to: [], lines: [] });
    else if (tail) blocks[blocks.length - 1].to = numbers(tail[1]);
    else if (line.startsWith('Instruction count')) break;
    else if (blocks.length > 0 && line.trim() !== '') blocks[blocks.length - 1].lines.push(line);
  }
  return blocks;
};

/** The operation of `@!p0 r1..3 = ld.shared.b64 [r2+0x10] // delay=1`, without its predicate and results. @param {string} line */
const operation = (line) => {
  const code = line.replace(/\/\/.*/, '').replace(/^\s*@!?u?p\d+/, '');
  return code.slice(code.indexOf(' = ') < 0 ? 0 : code.indexOf(' = ') + 3).trim();
};

/** @param {string[]} lines @returns {Mix} */
export const mixOf = (lines) => {
  const operations = lines.map(operation);
  /** @param {RegExp} pattern */
  const count = (pattern) => operations.filter((text) => pattern.test(text)).length;
  return {
    instructions: operations.length,
    ffma: count(/^ffma\b/),
    lds128: count(/^ld\.shared\S*\.b128/),
    lds64: count(/^ld\.shared\S*\.b64/),
    lds32: count(/^ld\.shared\S*\.(b32|[us]?(8|16))\b/),
    sts: count(/^st\.shared/),
    ldg: count(/^ld\.global/),
    stg: count(/^st\.global/),
    bar: count(/^bar\b/),
  };
};

/**
 * The innermost loop with a block in it: what can come back to the block without leaving the loop's first block. Loops are found
 * by edges that lead backwards, as the blocks of structured code are numbered in order.
 * @param {Block[]} blocks
 * @param {Block} inner
 * @returns {Block[] | undefined}
 */
export const loopAround = (blocks, inner) => {
  /** @type {Block[] | undefined} */
  let least;
  const byIndex = new Map(blocks.map((block) => [block.index, block]));
  for (const last of blocks) {
    for (const first of last.to.filter((index) => index <= last.index)) {
      const inside = new Set([first]);
      const stack = [last.index];
      for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
        if (inside.has(at)) continue;
        inside.add(at);
        stack.push(...(byIndex.get(at)?.from ?? []));
      }
      if (inside.has(inner.index) && (!least || inside.size < least.length)) {
        least = blocks.filter((block) => inside.has(block.index));
      }
    }
  }
  return least;
};

/**
 * The block with the most FMAs among those in loops, and the loop around it. Epilogues may have more, but run once.
 * @param {Block[]} blocks
 */
export const hotLoop = (blocks) => {
  const withLoops = blocks.flatMap((block) => {
    const loop = loopAround(blocks, block);
    return loop ? [{ block, loop, ffma: mixOf(block.lines).ffma }] : [];
  });
  return withLoops.reduce(
    (/** @type {typeof withLoops[number] | undefined} */ best, next) => (best && best.ffma >= next.ffma ? best : next),
    undefined,
  );
};

// GA102, a multiprocessor: registers, threads, workgroups; bytes of shared memory, of which each workgroup takes 1 KB more than it asks for.
const SM = { registers: 65536, threads: 1536, workgroups: 16, shared: 100 * 1024, sharedEach: 1024 };

/** Warps that a multiprocessor holds at once, of 48. @param {{ gprs: number, shared: number, threads: number }} kernel */
export const warpsPerSm = ({ gprs, shared, threads }) => {
  const warps = Math.ceil(threads / 32);
  const warpRegisters = Math.ceil((gprs * 32) / 256) * 256;
  const workgroups = Math.min(
    Math.floor(SM.registers / warpRegisters / warps),
    Math.floor(SM.shared / (shared + SM.sharedEach)),
    Math.floor(SM.threads / (warps * 32)),
    SM.workgroups,
  );
  return workgroups * warps;
};

/**
 * @param {string} text the compiler's output for one pipeline
 * @returns {Record<string, number> | string} the numbers, or what is missing
 */
export const parseNak = (text) => {
  /** @param {RegExp} pattern */
  const number = (pattern) => Number(text.match(pattern)?.[1] ?? Number.NaN);
  const totals = {
    gprs: number(/^Num GPRs: (\d+)/m),
    slm: number(/^SLM size: (\d+)/m),
    instructions: number(/^Instruction count: (\d+)/m),
    shared: text.includes('shared_size:') ? number(/^shared_size: (\d+)/m) : 0,
    threads: (text.match(/^workgroup_size: (\d+), (\d+), (\d+)/m)?.slice(1) ?? [Number.NaN])
      .map(Number)
      .reduce((a, b) => a * b),
  };
  const lacking = Object.entries(totals).find(([, value]) => Number.isNaN(value));
  if (lacking) return `NAK printed no ${lacking[0]}`;
  const blocks = parseBlocks(text);
  if (blocks.length === 0) return `NAK printed no '${FINAL}'`;
  const hot = hotLoop(blocks);
  const mix = mixOf(hot?.block.lines ?? []);
  const loopMix = mixOf(hot?.loop.flatMap((block) => block.lines) ?? []);
  return {
    ...totals,
    warpsPerSm: warpsPerSm(totals),
    ...Object.fromEntries(Object.entries(mix).map(([key, value]) => [`hot_${key}`, value])),
    ...Object.fromEntries(Object.entries(loopMix).map(([key, value]) => [`loop_${key}`, value])),
    loop_blocks: hot?.loop.length ?? 0,
  };
};

/** @param {Record<string, number>} row @returns {string[]} what must not be */
export const nakFaults = ({ slm }) => (slm > 0 ? [`${slm} bytes of local memory (spills)`] : []);

/** The innermost loop around the most FMAs, as the compiler printed it. @param {string} text */
export const hotLoopListing = (text) => {
  const blocks = parseBlocks(text);
  if (blocks.length === 0) return 'no listing';
  const hot = hotLoop(blocks);
  if (!hot) return 'no loop';
  return hot.loop
    .map((block) => {
      const { instructions, ffma } = mixOf(block.lines);
      const name = `block ${block.index}${block === hot.block ? ' (hot)' : ''}, from ${block.from.join(', ')}, to ${block.to.join(', ')}`;
      return [`${name}: ${instructions} instructions, ${ffma} ffma`, ...block.lines].join('\n');
    })
    .join('\n\n');
};
