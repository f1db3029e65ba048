import type { LineError } from './input';

/** Lines that the summary names. */
const NAMED = 20;
/** Characters of a reason in the summary. */
const REASON = 100;

/** Collects skipped lines for a summary, in little memory however many there are. */
export function skippedLines() {
  let count = 0;
  /** Line numbers by reason. */
  const named = new Map<string, number[]>();
  return {
    get count() {
      return count;
    },
    add({ line, reason }: LineError): void {
      if (++count > NAMED) return;
      const short = reason.slice(0, REASON).replace(/\.$/, '');
      named.set(short, [...(named.get(short) ?? []), line]);
    },
    summary(): string {
      const groups = Array.from(named, ([reason, lines]) => `${lines.join(', ')} (${reason})`);
      const more = count > NAMED ? `; and ${(count - NAMED).toLocaleString('en')} more` : '';
      return `${linesOf(count)} skipped: ${groups.join('; ')}${more}. In the output they have "error" in place of a result.`;
    },
  };
}

export const linesOf = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`;
