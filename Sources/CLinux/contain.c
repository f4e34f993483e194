#include "clinux.h"
int if_contain_main(int count, char *const arguments[]) { (void)count; (void)arguments; return 70; }
