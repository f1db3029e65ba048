/** Milliseconds between lines without a terminal. */
const LINE_INTERVAL = 10_000;
/** Milliseconds between updates of the bar. */
const DRAW_INTERVAL = 100;
const BAR_WIDTH = 24;

export interface Progress {
  /** `part`: fraction done, 0 to 1; undefined if the total is unknown. */
  show(part: number | undefined, text: string): void;
  /** The final line, which stays on the screen. */
  end(text: string): void;
}

/** Shows the progress of `work` on stderr: a bar on a terminal, otherwise a line every 10 seconds. An unfinished bar is removed. */
export async function withProgress<T>(label: string, work: (progress: Progress) => Promise<T>): Promise<T> {
  const stream = process.stderr;
  const start = performance.now();
  let next = stream.isTTY ? start : start + LINE_INTERVAL;
  let drawn = false;

  const clear = () => {
    if (drawn) stream.write('\r\x1b[K');
    drawn = false;
  };
  const progress: Progress = {
    show(part, text) {
      const now = performance.now();
      if (now < next) return;
      const percent = part === undefined ? '' : ` ${String(Math.floor(part * 100)).padStart(3)}%`;
      const left = part ? `, ${duration(((now - start) / part) * (1 - part))} left` : '';
      if (!stream.isTTY) {
        next = now + LINE_INTERVAL;
        stream.write(`${label}${percent}  ${text}${left}\n`);
        return;
      }
      next = now + DRAW_INTERVAL;
      const filled = Math.round((part ?? 0) * BAR_WIDTH);
      const bar = part === undefined ? '' : ` [${'='.repeat(filled).padEnd(BAR_WIDTH)}]`;
      stream.write(`\r${`${label}${bar}${percent}  ${text}${left}`.slice(0, stream.columns - 1)}\x1b[K`);
      drawn = true;
    },
    end(text) {
      clear();
      stream.write(`${label}: ${text}, ${duration(performance.now() - start)}\n`);
    },
  };
  try {
    return await work(progress);
  } finally {
    clear();
  }
}

const duration = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
};
