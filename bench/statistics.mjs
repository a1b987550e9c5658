/** The value below which a share of the samples is (0 to 1), interpolated. */
export function quantile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  return below + (sorted[Math.ceil(place)] - below) * (place % 1);
}

export function median(samples) {
  return quantile(samples, 0.5);
}

/** Half of the distance between the quartiles, as a share of the median. */
export function spread(samples) {
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / median(samples);
}
