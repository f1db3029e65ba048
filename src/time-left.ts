/** How long something will still take, from how far it is: for progress bars. */

/** Milliseconds that speed is taken over, between the samples of it, and before the first estimate. */
const WINDOW = 20_000;
const STEP = 250;
const LEAST = 1000;

/** Says how many seconds are left. Only what is much slower than expected makes it say more than before. */
export function createEstimate(): (loaded: number, total: number | undefined) => number | undefined {
  let samples: { time: number; loaded: number }[] = [];
  let left: number | undefined;
  return (loaded, total) => {
    if (total === undefined) return undefined;
    const time = performance.now();
    const last = samples.at(-1);
    // A connection that broke says nothing of the next one.
    if (last && time - last.time > WINDOW) samples = [];
    if (samples.length === 0 || time - samples.at(-1)!.time >= STEP) samples.push({ time, loaded });
    while (time - samples[0].time > WINDOW) samples.shift();
    const [first] = samples;
    const took = time - first.time;
    if (loaded >= total) left = 0;
    else if (took >= LEAST && loaded > first.loaded) {
      const now = (((total - loaded) / (loaded - first.loaded)) * took) / 1000;
      if (left === undefined || now < left || now > 1.25 * left + 1) left = now;
    }
    return left && Math.ceil(left);
  };
}

/** Such as `8 s`, `3 min` or `1.5 h`. `formats`: of numbers without and with one digit after the point. */
export function timeLeft(seconds: number, formats: Intl.NumberFormat[]): string {
  const rounded = (value: number, digits: 0 | 1) =>
    formats[digits].format(Math.round(value * 10 ** digits) / 10 ** digits);
  if (seconds < 90) return `${rounded(Math.ceil(seconds), 0)} s`;
  if (seconds < 5400) return `${rounded(seconds / 60, 0)} min`;
  return `${rounded(seconds / 3600, 1)} h`;
}
