import { duration, fileSize } from './numbers';

/** Milliseconds that a rate is taken over: long enough to be steady, short enough to follow the network. */
const WINDOW = 5000;

/** How fast something downloads. `report` takes the bytes so far and returns bytes per second, undefined at the start. */
export function createRate(now: () => number = () => performance.now()): {
  report(loaded: number): number | undefined;
} {
  let samples: [time: number, loaded: number][] = [];
  return {
    report(loaded) {
      const time = now();
      if (loaded < (samples.at(-1)?.[1] ?? 0)) samples = []; // another file
      samples.push([time, loaded]);
      while (samples.length > 2 && time - samples[0][0] > WINDOW) samples.shift();
      const [firstTime, first] = samples[0];
      return time - firstTime < 500 ? undefined : ((loaded - first) / (time - firstTime)) * 1000;
    },
  };
}

/** "8.1 MB/s, 59.0 s left"; empty while the rate is not known or nothing is left. */
export function rateText(rate: number | undefined, loaded: number, total: number | undefined): string {
  if (!rate || (total !== undefined && loaded >= total)) return '';
  const left = total === undefined ? '' : `, ${duration(((total - loaded) / rate) * 1000)} left`;
  return `${fileSize(rate)}/s${left}`;
}
