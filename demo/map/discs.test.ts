import { expect, it } from 'vitest';
import { drawDiscs } from './discs';

const image = (width: number, height: number) =>
  ({ width, height, data: new Uint8ClampedArray(4 * width * height).fill(255) }) as ImageData;
const pixel = ({ data, width }: ImageData, x: number, y: number) => [
  ...data.slice(4 * (y * width + x), 4 * (y * width + x) + 4),
];

it('draws discs at whole pixels over what is there, one over the other', () => {
  const picture = image(20, 10);
  drawDiscs(picture, {
    places: { x: Float32Array.of(2, 2, 7), y: Float32Array.of(2, 2, 2) },
    transform: { k: 2, x: 1, y: 0 },
    radius: 2,
    opacity: 0.5,
    colourOf: (i) => ([[255, 0, 0], [0, 0, 255], undefined] as const)[i],
  });
  // At (5, 4): red on white, then blue on that.
  expect(pixel(picture, 5, 4)).toEqual([127, 63, 191, 255]);
  expect(pixel(picture, 7, 4)).toEqual(pixel(picture, 3, 4)); // round
  expect(pixel(picture, 7, 4)[0]).toBeGreaterThan(127); // half covered
  expect(pixel(picture, 8, 4)).toEqual([255, 255, 255, 255]);
  expect(pixel(picture, 15, 4)).toEqual([255, 255, 255, 255]); // not drawn
});

it('cuts what is at the edge, and leaves out what is beyond', () => {
  const picture = image(6, 6);
  drawDiscs(picture, {
    places: { x: Float32Array.of(0, 5, -50, 900), y: Float32Array.of(0, 5, 3, 3) },
    transform: { k: 1, x: 0, y: 0 },
    radius: 1,
    opacity: 1,
    colourOf: () => [0, 0, 0],
  });
  const dark = Array.from({ length: 36 }, (_, i) => i).filter((i) => picture.data[4 * i] === 0);
  expect(dark).toEqual([0, 35]);
  expect(pixel(picture, 1, 0)[0]).toBeLessThan(255);
  expect(pixel(picture, 5, 0)).toEqual([255, 255, 255, 255]); // no wrapping to the next row
});
