/** Points that can be drawn and moved without delay. */
export const MAP_MOST = 20_000;
/** Fewer points are no map. */
export const MAP_LEAST = 3;
