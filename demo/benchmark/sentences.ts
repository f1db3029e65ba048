// What was measured, in words for people.
import { count } from '../numbers';

/** A time that people read at a glance: 6.0 ms, 0.38 s, 4.1 s, 42 s, 21 minutes, 3.5 hours. */
export function timeInWords(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 99.5) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 0.995) return `${s.toFixed(2)} s`;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 119.5) return `${Math.round(s)} s`;
  return s < 7170 ? `${Math.round(s / 60)} minutes` : `${(s / 3600).toFixed(1)} hours`;
}

/** Two significant digits, and no fraction from ten on. */
export const rateInWords = (rate: number): string =>
  rate < 9.95 ? String(Number(rate.toPrecision(2))) : count(Math.round(rate));

/** The milliseconds of `pages` pages if `measured` pages take `ms`: the time grows with their number, as each is computed by itself. */
export const timeOfPages = (pages: number, measured: number, ms: number): number => (pages / measured) * ms;

/** Who computes: a software adapter is no GPU. */
export const deviceInWords = (isSoftware: boolean): string => (isSoftware ? 'processor' : 'GPU');

/** How fast something is beside another, from its time and the other's. Differences of less than 5% are none. */
export function factorInWords(ms: number, otherMs: number): string {
  const times = otherMs / ms;
  if (times >= 0.95 && times <= 1.05) return 'as fast as';
  if (times > 1) return `${times < 9.95 ? times.toFixed(1) : count(Math.round(times))} times as fast as`;
  return `slower, at ${times < 0.01 ? 'less than 1' : Math.round(100 * times)}% of the speed of`;
}

/** Whether two libraries gave the same vectors. The cosine is cut, not rounded, to as many digits as are 9, five at most. */
export function cosineInWords(cosine: number): string {
  const digits = [5, 4, 3].find((places) => cosine >= 1 - 10 ** -places);
  if (digits !== undefined) return `same vectors to cosine ${(1 - 10 ** -digits).toFixed(digits)}`;
  return `but other vectors: cosine ${(Math.floor(1000 * cosine) / 1000).toFixed(3)}`;
}
