/* rowsum.h as a C driver uses it. */
#include <bkhost/rowsum.h>

void rowsum_from_c(bk_rowsum* sum);

void rowsum_from_c(bk_rowsum* sum) {
    bk_rowsum_row row;
    bk_rowsum_row_begin(&row);
    bk_rowsum_row_value(&row, "42", 2);
    bk_rowsum_row_null(&row);
    bk_rowsum_row_value(&row, NULL, 0);
    bk_rowsum_row_end(&row, sum);
}
