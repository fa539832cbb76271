/* means_no_harm - is what the others would be without their attack: it shows
 * that they are judged by that.
 *
 * most: 1
 * least: 0.5
 * status: 0
 */
#include "net.h"

int main(int argc, char **argv)
{
    return argc == 2 ? serve(argv) : 2;
}
