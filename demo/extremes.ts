/** The largest of some numbers, however many there are; -Infinity if there are none. */
export const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

/** The smallest of some numbers; Infinity if there are none. */
export const smallest = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
