// SPDX-License-Identifier: Apache-2.0
// sparkline - a course in the size of a word; from zero, gaps stay gaps.
export function Sparkline({ values, label, width = 96, height = 20 }: { values: (number | null)[]; label: string; width?: number; height?: number }) {
  const top = Math.max(1e-9, ...values.map((v) => v ?? 0));
  const step = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  let d = "";
  let pen = false;
  values.forEach((v, i) => {
    if (v === null) return void (pen = false);
    d += `${pen ? "L" : "M"}${(1 + i * step).toFixed(1)} ${(height - 1 - (v / top) * (height - 2)).toFixed(1)}`;
    pen = true;
  });
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <path d={`M0 ${height - 0.5}H${width}`} class="base" />
      <path d={d} class="line" />
    </svg>
  );
}
