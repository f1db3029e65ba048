export const MODES = ['fill', 'surprise', 'compare'] as const;
/** What is done with the text. */
export type Mode = (typeof MODES)[number];

export const modeOf = (name: string | undefined): Mode => MODES.find((mode) => mode === name) ?? 'fill';

/** What its exported files are called. */
export const FILE_NAMES: Record<Mode, string> = { fill: 'masks', surprise: 'surprise', compare: 'comparison' };

export const MODE_NAMES: Record<Mode, string> = { fill: 'Fill masks', surprise: 'Surprise', compare: 'Two texts' };
