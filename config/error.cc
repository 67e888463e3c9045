#include "config/error.h"
