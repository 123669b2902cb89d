/* SPDX-License-Identifier: Apache-2.0 */
/* load_plot.c - see load_plot.h. Everything is brought to a scale first (straight, logarithms, or
 * nines), and then to the frame. Colours are classes of the page. */
#include "cli/load_plot.h"

#include <math.h>

enum { WIDTH = 720, HEIGHT = 300, LEFT = 84, RIGHT = 16, TOP = 16, BOTTOM = 44, TICKS = 5 };

struct range {
    double low, high; /* on the scale */
};

static double to_scale(const struct load_scale *s, double v)
{
    if (s->nines)
        return -log10(1.0 - (v < 0.99999 ? v : 0.99999));
    if (s->log)
        return log10(v > 0.001 ? v : 0.001);
    return v;
}

static struct range range_of(const struct load_plot *p, const struct load_scale *s, bool y)
{
    struct range r = {INFINITY, -INFINITY};

    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < p->series[i].n; k++) {
            double v = to_scale(s, y ? p->series[i].y[k] : p->series[i].x[k]);

            r.low = fmin(r.low, v);
            r.high = fmax(r.high, v);
        }
    if (!(r.low <= r.high))
        return (struct range){0, 1};
    if (s->log) {
        r.low = floor(r.low);
        r.high = ceil(r.high);
    } else if (y) {
        r.low = 0;
        r.high *= 1.05;
    }
    if (r.high - r.low < 1e-9)
        r.high = r.low + 1;
    return r;
}

static double x_at(const struct range *r, double v)
{
    return LEFT + (v - r->low) / (r->high - r->low) * (WIDTH - LEFT - RIGHT);
}

static double y_at(const struct range *r, double v)
{
    return HEIGHT - BOTTOM - (v - r->low) / (r->high - r->low) * (HEIGHT - TOP - BOTTOM);
}

static void tick(FILE *f, bool y, double at, double value, const char *unit)
{
    if (y)
        fprintf(f,
                "<line class=g x1=%d x2=%d y1=%.1f y2=%.1f /><text class=e x=%d y=%.1f>%.6g%s"
                "</text>\n",
                LEFT, WIDTH - RIGHT, at, at, LEFT - 6, at + 4, value, unit);
    else
        fprintf(f,
                "<line class=g x1=%.1f x2=%.1f y1=%d y2=%d /><text class=m x=%.1f y=%d>%.6g%s"
                "</text>\n",
                at, at, TOP, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 16, value, unit);
}

/* 1, 2 or 5 times a power of ten, so that there are about TICKS of them. */
static double step_of(double span)
{
    double raw = span / TICKS, power = pow(10, floor(log10(raw)));

    return raw / power > 5   ? 10 * power
           : raw / power > 2 ? 5 * power
           : raw / power > 1 ? 2 * power
                             : power;
}

static void ticks(FILE *f, const struct load_scale *s, const struct range *r, bool y)
{
    static const double nines[] = {0, 0.5, 0.9, 0.99, 0.999, 0.9999};
    double step = s->log ? 1 : step_of(r->high - r->low);

    for (size_t i = 0; s->nines && i < sizeof(nines) / sizeof(nines[0]); i++)
        if (to_scale(s, nines[i]) <= r->high)
            tick(f, y, y_at(r, to_scale(s, nines[i])), 100 * nines[i], " %");
    for (double v = ceil(r->low / step) * step; !s->nines && v <= r->high + step / 1000; v += step)
        tick(f, y, y ? y_at(r, v) : x_at(r, v), s->log ? pow(10, v) : v, "");
}

void load_plot_write(FILE *f, const struct load_plot *p)
{
    struct range x = range_of(p, &p->x, false), y = range_of(p, &p->y, true);

    fprintf(f,
            "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=img "
            "aria-label=\"%s\">\n",
            p->title, WIDTH, HEIGHT, p->title);
    ticks(f, &p->x, &x, false);
    ticks(f, &p->y, &y, true);
    fprintf(f, "<text class=m x=%d y=%d>%s</text>\n", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8,
            p->x.title);
    fprintf(f, "<text class=m transform=\"translate(14 %d) rotate(-90)\">%s</text>\n",
            (TOP + HEIGHT - BOTTOM) / 2, p->y.title);
    for (size_t i = 0; i < p->n; i++) {
        const struct load_series *s = &p->series[i];

        fprintf(f, "<polyline class=s%zu points=\"", i);
        for (size_t k = 0; k < s->n; k++)
            fprintf(f, "%.1f,%.1f ", x_at(&x, to_scale(&p->x, s->x[k])),
                    y_at(&y, to_scale(&p->y, s->y[k])));
        fputs("\" />\n", f);
    }
    fputs("</svg><p class=l>", f);
    for (size_t i = 0; i < p->n; i++)
        fprintf(f, "<span class=k%zu>%s</span> ", i, p->series[i].name);
    fputs("</p></figure>\n", f);
}
