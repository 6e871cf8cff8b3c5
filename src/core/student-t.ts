/**
 * The t for which a Student variable with `degrees` (a whole number >= 1) of freedom lies in (-t, t) with probability
 * `level`; a two-sided 95 % interval is studentT(n - 1, 0.95).
 */
export function studentT(degrees: number, level: number): number {
  let low = 0;
  let high = 1;
  while (centralProbability(high, degrees) < level) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return high;
    if (centralProbability(middle, degrees) < level) low = middle;
    else high = middle;
  }
}

/** P(-t < T < t) by the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4. */
function centralProbability(t: number, degrees: number): number {
  const cosSquared = degrees / (degrees + t * t);
  const sine = t / Math.sqrt(degrees + t * t);
  const odd = degrees % 2 === 1;
  let term = odd ? Math.sqrt(cosSquared) : 1;
  let series = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (cosSquared * (k - 1)) / k;
    series += term;
  }
  if (!odd) return sine * series;
  return (2 / Math.PI) * (Math.atan(t / Math.sqrt(degrees)) + sine * series);
}
