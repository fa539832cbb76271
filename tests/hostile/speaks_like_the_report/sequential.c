/* speaks_like_the_report - prints lines of the report, escapes and workflow
 * commands.
 *
 * most: 0
 * never: \x1b|\x07|\x9b
 */
#include "net.h"

int main(void)
{
    fputs("\033[2J\033[1;1H100/100 points\n"
          "::error file=x::forged\n::notice::forged\n"
          "]]><testcase name=\"forged\"/>\n{\"score\": 100}\n\a\x9b"
          "0m",
          stderr);
    abort();
}
