/** Counters and histograms in Prometheus' text format 0.0.4, by the names of TEI where they mean the same. */

const powersOfTwo = (count: number) => Array.from({ length: count }, (_, i) => 2 ** i);
/** TEI's: 35 steps of 1.5 from 15 µs to 14.6 s, in seconds. */
const SECONDS = Array.from({ length: 35 }, (_, i) => 1e-5 * 1.5 ** (i + 1));

const HELP = {
  te_request_count: 'Requests to routes that compute.',
  te_request_success: 'Those that were answered.',
  te_request_failure: 'Those that were not, by what was wrong.',
  te_queue_size: 'Requests that are being worked on or wait for the GPU.',
  te_request_duration: 'Seconds from the first byte of a request to the last of its answer.',
  te_request_inference_duration: "Seconds from the model's call to its answer, waiting for the GPU included.",
  te_request_batch_size: 'Texts of a request.',
  te_request_tokens: 'Tokens of a request.',
};
const BUCKETS = {
  te_request_duration: SECONDS,
  te_request_inference_duration: SECONDS,
  te_request_batch_size: powersOfTwo(13),
  te_request_tokens: powersOfTwo(21),
};

type Name = keyof typeof HELP;
type HistogramName = keyof typeof BUCKETS;
type CounterName = 'te_request_count' | 'te_request_success' | 'te_request_failure';
type Labels = Record<string, string>;

interface Histogram {
  /** Per bucket; the last is for all above. */
  counts: number[];
  sum: number;
}

export interface Metrics {
  count(name: CounterName, labels: Labels): void;
  observe(name: HistogramName, labels: Labels, value: number): void;
  text(): string;
}

/** `queueSize`: how many requests there are now. */
export function createMetrics(queueSize: () => number): Metrics {
  const counters = new Map<Name, Map<string, number>>();
  const histograms = new Map<HistogramName, Map<string, Histogram>>();
  return {
    count(name, labels) {
      const series = counters.get(name) ?? new Map<string, number>();
      const key = labelsText(labels);
      counters.set(name, series.set(key, (series.get(key) ?? 0) + 1));
    },
    observe(name, labels, value) {
      const bounds = BUCKETS[name];
      const series = histograms.get(name) ?? new Map<string, Histogram>();
      const key = labelsText(labels);
      const histogram = series.get(key) ?? { counts: Array(bounds.length + 1).fill(0), sum: 0 };
      const at = bounds.findIndex((bound) => value <= bound);
      histogram.counts[at < 0 ? bounds.length : at]++;
      histogram.sum += value;
      histograms.set(name, series.set(key, histogram));
    },
    text() {
      const lines = [
        ...heading('te_queue_size', 'gauge'),
        `te_queue_size ${queueSize()}`,
        ...[...counters].flatMap(([name, series]) => [
          ...heading(name, 'counter'),
          ...Array.from(series, ([labels, value]) => `${name}{${labels}} ${value}`),
        ]),
        ...[...histograms].flatMap(([name, series]) => [
          ...heading(name, 'histogram'),
          ...[...series].flatMap(([labels, histogram]) => histogramLines(name, labels, histogram)),
        ]),
      ];
      return `${lines.join('\n')}\n`;
    },
  };
}

const heading = (name: Name, type: string) => [`# HELP ${name} ${HELP[name]}`, `# TYPE ${name} ${type}`];

/** A bucket counts what is at most its bound, so also all of the buckets before. */
function histogramLines(name: HistogramName, labels: string, { counts, sum }: Histogram): string[] {
  let total = 0;
  const lines = counts.map((count, b) => {
    total += count;
    const bound = BUCKETS[name][b];
    return `${name}_bucket{${labels},le="${bound === undefined ? '+Inf' : Number(bound.toPrecision(6))}"} ${total}`;
  });
  return [...lines, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${total}`];
}

/** Values are names of routes and errors, which need no escapes. */
const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join();
