/* SPDX-License-Identifier: Apache-2.0 */
/* load_plot.h - line plots as SVG in a page, without any script. */
#ifndef CLI_LOAD_PLOT_H
#define CLI_LOAD_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { LOAD_SERIES_MAX = 4 };

struct load_series {
    const char *name;
    const double *x, *y; /* borrows */
    size_t n;
};

struct load_scale {
    const char *title;
    bool log;   /* values above 0 */
    bool nines; /* shares below 1: half, 90 %, 99 %, 99.9 %… at equal distances */
};

struct load_plot {
    const char *title;
    struct load_scale x, y;
    struct load_series series[LOAD_SERIES_MAX];
    size_t n;
};

void load_plot_write(FILE *f, const struct load_plot *p);

#endif
