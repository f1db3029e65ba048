// Parses the output of NAK_DEBUG=print for a pipeline: the final instructions, block by block, and the totals.

/** @typedef {{ index: number, from: number[], to: number[], lines: string[] }} Block */
/** @typedef {{ first: number, last: number, blocks: Block[] }} Loop `last` jumps back to `first` */
/** @typedef {{ instructions: number, ffma: number, lds128: number, lds64: number, lds32: number, sts: number, ldg: number, stg: number, bar: number }} Mix */

/** The line before the code that is final. */
export const FINAL = 'NAK IR after calc_instr_deps:';
/** `block 5 L6 [2, 4] -> {`: index, label, predecessors. */
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
 * Every natural loop: a back edge (blocks of structured code are numbered in order), and the blocks that reach it without passing through
 * the loop's first block.
 * @param {Block[]} blocks
 * @returns {Loop[]} smallest first
 */
export const loopsOf = (blocks) => {
  const byIndex = new Map(blocks.map((block) => [block.index, block]));
  const loops = blocks.flatMap((last) =>
    last.to
      .filter((index) => index <= last.index)
      .map((first) => {
        const inside = new Set([first]);
        const stack = [last.index];
        for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
          if (inside.has(at)) continue;
          inside.add(at);
          stack.push(...(byIndex.get(at)?.from ?? []));
        }
        return { first, last: last.index, blocks: blocks.filter((block) => inside.has(block.index)) };
      }),
  );
  return loops.sort((a, b) => a.blocks.length - b.blocks.length);
};

/**
 * The trip count of a loop with a constant end: it has `rN = iadd3 rN STEP rZ`, starting from 0, and compares rN with END. Else undefined.
 * @param {Loop} loop
 * @returns {number | undefined}
 */
export const tripsOf = ({ blocks }) => {
  const operations = blocks.flatMap(({ lines }) => lines.map((line) => line.replace(/\/\/.*/, '').trim()));
  for (const text of operations) {
    const [, counter, end] = /isetp\.\w+\.[ui]32 (r\d+) (0x[\da-f]+)$/.exec(text) ?? [];
    if (!counter) continue;
    const steps = operations.flatMap((add) => {
      const [, to, from, step] = /^(r\d+)\s+= iadd3 (r\d+) (0x[\da-f]+) rZ$/.exec(add) ?? [];
      return to === counter && from === counter ? [Number(step)] : [];
    });
    if (steps.length === 1 && Number(end) % steps[0] === 0) return Number(end) / steps[0];
  }
  return undefined;
};

const NOTHING = { instructions: 0, ffma: 0 };
const NOT_CONSTANT = { instructions: Number.NaN, ffma: Number.NaN };

/**
 * The fewest instructions of one iteration of a loop that passes through a block: optional branches are skipped, inner loops count with
 * their trip count.
 * @param {Loop} loop
 * @param {Loop[]} loops all loops of the kernel
 * @param {Block} through
 * @returns {{ instructions: number, ffma: number }} NaN if an inner loop has no constant trip count
 */
export const leastTurn = (loop, loops, through) => {
  const inside = loops.filter((other) => other !== loop && other.blocks.every((block) => loop.blocks.includes(block)));
  /** @param {number} index @returns {Loop | undefined} the largest loop inside this one that contains the block */
  const innerOf = (index) => inside.findLast(({ blocks }) => blocks.some((block) => block.index === index));
  /** @type {Map<number, { instructions: number, ffma: number }>} by block: the iteration up to the block's end */
  const least = new Map();
  for (const block of loop.blocks) {
    const inner = innerOf(block.index);
    if (inner && inner.first !== block.index) {
      least.set(block.index, least.get(inner.first) ?? NOT_CONSTANT);
      continue;
    }
    const before = block.from.flatMap((index) => (index < block.index && least.get(index)) || []);
    const from = before.reduce((a, b) => (b.instructions < a.instructions ? b : a), before[0] ?? NOTHING);
    if (block.index !== loop.first && before.length === 0) continue; // reachable only by bypassing `through`
    const isThrough = inner ? inner.blocks.includes(through) : block === through;
    const own = inner ? leastTurn(inner, loops, isThrough ? through : inner.blocks[0]) : mixOf(block.lines);
    const turns = inner ? (tripsOf(inner) ?? Number.NaN) : 1;
    if (isThrough) least.clear();
    least.set(block.index, {
      instructions: from.instructions + own.instructions * turns,
      ffma: from.ffma + own.ffma * turns,
    });
  }
  return least.get(loop.last) ?? NOT_CONSTANT;
};

/**
 * The block with the most FMAs inside a loop, and the innermost loop around it. Epilogues may have more FMAs, but run once.
 * @param {Block[]} blocks
 */
export const hotLoop = (blocks) => {
  const loops = loopsOf(blocks);
  const withLoops = blocks.flatMap((block) => {
    const loop = loops.find((candidate) => candidate.blocks.includes(block))?.blocks;
    const outermost = loops.findLast((candidate) => candidate.blocks.includes(block));
    if (!loop || !outermost) return [];
    // Without an inner loop, the step would repeat the loop's numbers.
    const step = outermost.blocks === loop ? NOT_CONSTANT : leastTurn(outermost, loops, block);
    return [{ block, loop, ffma: mixOf(block.lines).ffma, step }];
  });
  return withLoops.reduce(
    (/** @type {typeof withLoops[number] | undefined} */ best, next) => (best && best.ffma >= next.ffma ? best : next),
    undefined,
  );
};

// Limits per GA102 multiprocessor; each workgroup takes 1 KB of shared memory more than it requests.
const SM = { registers: 65536, threads: 1536, workgroups: 16, shared: 100 * 1024, sharedEach: 1024 };

/** Warps that a multiprocessor holds at once, at most 48. @param {{ gprs: number, shared: number, threads: number }} kernel */
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
    ...(hot && hot.step.instructions > 0 && { step_instructions: hot.step.instructions, step_ffma: hot.step.ffma }),
  };
};

/** @param {Record<string, number>} row @returns {string[]} problems */
export const nakFaults = ({ slm }) => (slm > 0 ? [`${slm} bytes of local memory (spills)`] : []);

/** The instructions of the hot loop, as the compiler printed them. @param {string} text */
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
