/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - nothing but the way into cli/. */
#include "cli/commands.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
