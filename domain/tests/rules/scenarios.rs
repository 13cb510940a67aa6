//! The rules, scenario by scenario. How a step is written stands in `script.rs`.

use crate::script::check;

/// Each scenario is a test of its own; `ALL` lets `rejections.rs` ask which refusals they meet.
macro_rules! scenarios {
    ($($name:ident: $text:expr;)*) => {
        pub const ALL: &[&str] = &[$($text),*];
        $(
            #[test]
            fn $name() {
                check($text);
            }
        )*
    };
}

scenarios! {
    each_kind_of_entry_posts_to_its_two_sides: "
        book EUR                                                  ok
        account cash                                              ok
        account bank opening=100.5 entry=o1                       ok
        category food                                             ok
        category pay kind=income                                  ok
        expense e1 cash 12.5 for=food                             ok
        entry e1                                                  expense:cash-12.50,food+12.50
        income e2 cash 2000 for=pay                               ok
        entry e2                                                  income:cash+2000.00,pay-2000.00
        refund e3 cash 2.50 for=food of=e1                        ok
        entry e3                                                  refund:cash+2.50,food-2.50
        transfer e4 cash 40 to=bank                               ok
        entry e4                                                  transfer:cash-40.00,bank+40.00
        entry o1                                                  opening_balance:bank+100.50,before-100.50
        balance cash                                              1950.00
        balance bank                                              140.50
    ";

    opening_balances_may_be_negative_zero_and_corrected: "
        book EUR                                                  ok
        account card opening=-250 entry=o1                        ok
        balance card                                              -250.00
        correct o1 amount=-300                                    ok
        entry o1                                                  opening_balance:card-300.00,before+300.00
        correct o1 amount=0                                       ok
        balance card                                              0.00
        account purse opening=0 entry=o2                          ok
        entry o2                                                  none
        opening_balance o3 purse -5                               ok
        balance purse                                             -5.00
        account hoard opening=10000000000000.01                   amount_out_of_range/opening_balance
        account yen currency=JPY opening=1.5                      too_many_decimals/opening_balance
        account twice opening=1 entry=o3                          id_taken/id
        category food                                             ok
        opening_balance o4 purse 5 for=food                       field_not_allowed/category
        opening_balance o4 purse 5 to=card                        field_not_allowed/to_account
    ";

    amounts_are_positive_and_fit_their_currency: "
        book EUR                                                  ok
        account cash                                              ok
        account yen currency=JPY                                  ok
        category food                                             ok
        expense e1 cash 0 for=food                                amount_not_positive/amount
        expense e1 cash -1 for=food                               amount_not_positive/amount
        expense e1 cash 1.005 for=food                            too_many_decimals/amount
        expense e1 yen 1.5 for=food                               too_many_decimals/amount
        expense e1 cash 10000000000000.01 for=food                amount_out_of_range/amount
        expense e1 cash 10000000000000.00 for=food                ok
        expense e2 yen 1500 for=food                              ok
        balance yen                                               -1500
        expense e3 yen 1500 for=food currency=EUR                 currency_mismatch/currency
        expense e3 yen 1500 for=food currency=JPY                 ok
    ";

    dates_are_of_four_digit_years: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 1 for=food on=0000-12-31                  date_out_of_range/occurred_on
        expense e1 cash 1 for=food on=+10000-01-01                date_out_of_range/occurred_on
        expense e1 cash 1 for=food on=0001-01-01                  ok
        expense e2 cash 1 for=food on=9999-12-31                  ok
        correct e2 on=-0001-01-01                                 date_out_of_range/occurred_on
        account bank on=+10000-01-01                              date_out_of_range/opened_on
    ";

    a_split_adds_up: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category home                                             ok
        category pay kind=income                                  ok
        expense e1 cash 12.50 for=food:10+home:2.50               ok
        entry e1                                                  expense:cash-12.50,food+10.00,home+2.50
        income e2 cash 5 for=pay:2+pay:3                          ok
        entry e2                                                  income:cash+5.00,pay-2.00,pay-3.00
        refund e3 cash 2 for=food:1+home:1                        ok
        expense e4 cash 12.50 for=food:10+home:2.49               splits_do_not_add_up/splits
        expense e4 cash 12.50 for=food:10+home:2.505              too_many_decimals/splits/1/amount
        expense e4 cash 12.50 for=food:12.50+home:0               amount_not_positive/splits/1/amount
        expense e4 cash 12.50 for=food:13+home:-0.50              amount_not_positive/splits/1/amount
        expense e4 cash 12.50 for=food:99999999999999             amount_out_of_range/splits/0/amount
        expense e4 cash 12.50 for=food:10+gold:2.50               unknown_category/splits/1/category
        expense e4 cash 12.50 for=food:10+pay:2.50                category_kind_mismatch/splits/1/category
        expense e4 cash 12.50 for=nothing                         field_missing/splits
        expense e4 cash 12.50                                     field_missing/category
        correct e1 amount=13                                      splits_do_not_add_up/splits
        correct e1 amount=13 for=food:10+home:3                   ok
        correct e1 for=home                                       ok
        entry e1                                                  expense:cash-13.00,home+13.00
        correct e1 amount=14                                      ok
        entry e1                                                  expense:cash-14.00,home+14.00
    ";

    an_entry_names_what_the_book_has: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        expense e1 gold 1 for=food                                unknown_account/account
        expense e1 cash 1 for=gold                                unknown_category/category
        expense e1 cash 1 for=pay                                 category_kind_mismatch/category
        income e1 cash 1 for=food                                 category_kind_mismatch/category
        refund e1 cash 1 for=pay                                  category_kind_mismatch/category
        expense e1 cash 1 for=food                                ok
        expense e1 cash 1 for=food                                id_taken/id
        remove e1                                                 ok
        expense e1 cash 1 for=food                                id_taken/id
        remove e9                                                 entry_not_found
        restore e9                                                entry_not_found
        correct e9 amount=1                                       entry_not_found
        correct e1 amount=1                                       entry_removed
        close gold                                                account_not_found
        reopen gold                                               account_not_found
        change-account gold name=silver                           account_not_found
        archive gold                                              category_not_found
        unarchive gold                                            category_not_found
        change-category gold name=silver                          category_not_found
        revert gold                                               import_not_found
        import gold cash/-1:tea                                   import_not_found
    ";

    a_transfer_goes_to_another_account_of_its_currency: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        account yen currency=JPY                                  ok
        category food                                             ok
        transfer e1 cash 5                                        field_missing/to_account
        transfer e1 cash 5 to=cash                                same_account/to_account
        transfer e1 cash 5 to=gold                                unknown_account/to_account
        transfer e1 cash 5 to=yen                                 currencies_differ/to_account
        transfer e1 cash 5 to=bank for=food                       field_not_allowed/category
        transfer e1 cash 5 to=bank for=food:5                     field_not_allowed/splits
        expense e1 cash 5 for=food to=bank                        field_not_allowed/to_account
        transfer e1 cash 5 to=bank                                ok
        correct e1 to=yen                                         currencies_differ/to_account
        correct e1 account=bank                                   same_account/to_account
        correct e1 account=bank to=cash                           ok
        entry e1                                                  transfer:bank-5.00,cash+5.00
        correct e1 to=none                                        field_missing/to_account
    ";

    a_refund_may_name_its_expense: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        expense e1 cash 5 for=food                                ok
        income e2 cash 5 for=pay                                  ok
        refund r1 cash 1 for=food                                 ok
        refund r2 cash 1 for=food of=e1                           ok
        refund r3 cash 1 for=food of=e9                           unknown_refund_of/refund_of
        refund r3 cash 1 for=food of=e2                           unknown_refund_of/refund_of
        refund r3 cash 1 for=food of=r1                           unknown_refund_of/refund_of
        expense e3 cash 1 for=food of=e1                          field_not_allowed/refund_of
        correct e1 kind=refund of=e1                              unknown_refund_of/refund_of
        correct e1 kind=income for=pay                            ok
        correct r2 amount=2                                       ok   # names what was an expense when it was told
        correct r1 of=e1                                          unknown_refund_of/refund_of
        correct r2 of=none                                        ok
        correct r2 of=e1                                          unknown_refund_of/refund_of
    ";

    a_correction_may_change_the_kind: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        expense e1 cash 5 for=food                                ok
        correct e1 kind=refund                                    ok
        entry e1                                                  refund:cash+5.00,food-5.00
        correct e1 kind=income                                    category_kind_mismatch/category
        correct e1 kind=income for=pay                            ok
        entry e1                                                  income:cash+5.00,pay-5.00
        correct e1 kind=transfer                                  field_missing/to_account
        correct e1 kind=transfer to=bank                          ok
        entry e1                                                  transfer:cash-5.00,bank+5.00
        correct e1 kind=expense                                   field_missing/category
        correct e1 kind=expense for=food                          ok
        entry e1                                                  expense:cash-5.00,food+5.00
        correct e1 kind=opening_balance                           ok
        entry e1                                                  opening_balance:cash+5.00,before-5.00
        correct e1 amount=-5                                      ok
        correct e1 kind=expense for=food                          amount_not_positive/amount
        correct e1 kind=expense for=food amount=5                 ok
        balance cash                                              -5.00
        balance bank                                              0.00
    ";

    a_correction_moves_money_between_accounts: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        account yen currency=JPY                                  ok
        category food                                             ok
        expense e1 cash 5.50 for=food                             ok
        correct e1 account=bank amount=6                          ok
        balance cash                                              0.00
        balance bank                                              -6.00
        correct e1 account=gold                                   unknown_account/account
        correct e1 amount=0                                       amount_not_positive/amount
        correct e1 for=gold                                       unknown_category/category
        correct e1 for=none                                       field_missing/category
        correct e1 currency=USD                                   currency_mismatch/currency
        correct e1 amount=6.50                                    ok
        correct e1 account=yen                                    field_missing/amount
        correct e1 account=yen amount=6.50                        too_many_decimals/amount
        correct e1 account=yen amount=900                         ok
        balance bank                                              0.00
        balance yen                                               -900
        correct e1                                                nothing_to_change
    ";

    closed_accounts_take_nothing_new_but_what_they_have_can_be_mended: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        expense e1 cash 5 for=food                                ok
        expense e2 bank 5 for=food                                ok
        transfer e3 bank 1 to=cash                                ok
        close cash                                                ok
        close cash                                                account_closed
        expense e4 cash 5 for=food                                account_closed/account
        transfer e4 bank 5 to=cash                                account_closed/to_account
        transfer e4 cash 5 to=bank                                account_closed/account
        correct e2 account=cash                                   account_closed/account
        correct e1 amount=6                                       ok
        correct e3 amount=2                                       ok
        correct e3 account=cash to=bank                           ok
        remove e1                                                 ok
        restore e1                                                ok
        balance cash                                              -8.00
        correct e1 account=bank                                   ok
        correct e1 account=cash                                   account_closed/account
        reopen cash                                               ok
        correct e1 account=cash                                   ok
        reopen cash                                               account_not_closed
    ";

    archived_categories_take_nothing_new_but_what_they_have_can_be_mended: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category home                                             ok
        expense e1 cash 5 for=food                                ok
        expense e2 cash 5 for=home                                ok
        archive food                                              ok
        archive food                                              category_archived
        expense e3 cash 5 for=food                                category_archived/category
        expense e3 cash 5 for=home:1+food:4                       category_archived/splits/1/category
        correct e2 for=food                                       category_archived/category
        correct e1 amount=6                                       ok
        correct e1 kind=refund                                    ok
        correct e1 for=food:3+home:3                              ok
        remove e1                                                 ok
        restore e1                                                ok
        correct e1 for=home                                       ok
        correct e1 for=food                                       category_archived/category
        category bread below=food                                 category_archived/parent
        change-category home below=food                           category_archived/parent
        unarchive food                                            ok
        unarchive food                                            category_not_archived
        correct e1 for=food                                       ok
    ";

    removed_entries_count_nowhere_until_they_are_restored: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 5 for=food                                ok
        remove e1                                                 ok
        entry e1                                                  removed:expense:cash-5.00,food+5.00
        balance cash                                              0.00
        remove e1                                                 entry_removed
        restore e1                                                ok
        balance cash                                              -5.00
        restore e1                                                entry_not_removed
    ";

    each_role_may_do_what_those_before_it_may: "
        stranger: change-book name=Mine                           book_not_found
        book EUR                                                  ok
        member eddy editor                                        ok
        member vera viewer                                        ok
        book EUR                                                  book_exists
        stranger: book EUR                                        book_exists
        stranger: account cash                                    book_not_found
        vera: account cash                                        role_forbids
        vera: remove e1                                           role_forbids
        eddy: account cash                                        ok
        eddy: change-book name=Flat                               role_forbids
        vera: change-book name=Flat                               role_forbids
        change-book name=Flat                                     ok
        change-book                                               nothing_to_change
        stranger: revert file                                     book_not_found
        vera: import file start cash/-1:tea                       role_forbids
    ";

    two_accounts_do_not_share_a_name: "
        book EUR                                                  ok
        account cash                                              ok
        account purse name=CASH                                   name_taken/name
        account cash name=purse                                   id_taken/id
        account purse                                             ok
        change-account purse name=Cash                            name_taken/name
        change-account cash name=Cash                             ok
        close cash                                                ok
        change-account purse name=cash                            name_taken/name
        change-account purse                                      nothing_to_change
    ";

    two_categories_share_a_name_only_in_different_places: "
        book EUR                                                  ok
        category food                                             ok
        category food name=eating                                 id_taken/id
        category eating name=FOOD                                 name_taken/name
        category gifts kind=income name=food                      ok
        category bread below=food                                 ok
        category rolls below=food name=Bread                      name_taken/name
        category rolls name=bread                                 ok
        change-category rolls below=food                          name_taken/name
        change-category rolls below=food name=rolls               ok
        path rolls                                                food>rolls
        change-category rolls                                     nothing_to_change
        change-category rolls icon=dots colour=blue               ok
        archive bread                                             ok
        change-category rolls name=bread                          name_taken/name
    ";

    categories_are_a_tree_of_one_kind_and_eight_levels: "
        book EUR                                                  ok
        category c1                                               ok
        category c2 below=c1                                      ok
        category c3 below=c2                                      ok
        category c4 below=c3                                      ok
        category c5 below=c4                                      ok
        category c6 below=c5                                      ok
        category c7 below=c6                                      ok
        category c8 below=c7                                      ok
        path c8                                                   c1>c2>c3>c4>c5>c6>c7>c8
        category c9 below=c8                                      category_too_deep/parent
        category d1                                               ok
        category d2 below=d1                                      ok
        change-category d2 below=c8                               category_too_deep/parent
        change-category d1 below=c7                               category_too_deep/parent
        change-category d1 below=c6                               ok
        change-category c1 below=c8                               category_cycle/parent
        change-category c1 below=c1                               category_cycle/parent
        change-category c3 below=c4                               category_cycle/parent
        change-category c3 below=gold                             unknown_category/parent
        category pay kind=income                                  ok
        category wages kind=income below=c1                       category_kind_mismatch/parent
        change-category d2 below=pay                              category_kind_mismatch/parent
        category gold below=silver                                unknown_category/parent
        change-category c5 below=none                             ok
        path c8                                                   c5>c6>c7>c8
    ";

    a_book_holds_so_many_accounts: "
        book EUR                                                  ok
        account a times=500                                       ok
        account one-more                                          limit_reached
        close a1                                                  ok
        account one-more                                          limit_reached
    ";

    a_book_holds_so_many_categories: "
        book EUR                                                  ok
        category c times=2000                                     ok
        category one-more                                         limit_reached
        archive c1                                                ok
        category one-more                                         limit_reached
    ";

    a_balance_stays_within_what_can_be_kept: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        hoard e cash 92233720368547758.07                         ok
        balance cash                                              92233720368547758.07
        income s cash 0.01 for=pay                                balance_out_of_range/amount
        transfer s bank 0.01 to=cash                              balance_out_of_range/amount
        expense s cash 0.01 for=food                              ok
        income t cash 0.01 for=pay                                ok
        remove s                                                  balance_out_of_range/amount
        correct s kind=refund                                     balance_out_of_range/amount
        remove t                                                  ok
        remove s                                                  ok
        restore t                                                 balance_out_of_range/amount
        balance cash                                              92233720368547758.07
        import file start cash/1:pay cash/-1:tea                  !balance_out_of_range,new
        import more start cash/0.60:pay cash/0.60:pay             balance_out_of_range/amount
        balance cash                                              92233720368547757.07
        # The first two fit one by one only; on the way to where all three fit, the balance oversteps.
        import steps start cash/0.60:a cash/0.60:b cash/-1:c      new,new,new
        balance cash                                              92233720368547757.27
        # Taking the expense back first would overstep before the others come down.
        revert steps                                              3,reverted
        balance cash                                              92233720368547757.07
    ";

    corrections_at_the_edge_keep_every_cent: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        hoard e cash -92233720368547758.07                        ok
        income r cash 1 for=pay                                   ok
        expense s cash 0.02 for=food                              ok
        balance cash                                              -92233720368547757.09
        expense t cash 0.99 for=food                              ok
        balance cash                                              -92233720368547758.08
        correct r amount=0.99                                     balance_out_of_range/amount
        correct r amount=2                                        ok
        balance cash                                              -92233720368547757.08
        correct r amount=1.50                                     ok
        balance cash                                              -92233720368547757.58
    ";

    twins_in_a_statement_stay_twins: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        import f1 start cash/-4:coffee cash/-4:coffee cash/9:pay  new,new,new
        balance cash                                              1.00
        import f2 start cash/-4:coffee cash/-4:coffee cash/9:pay  =f1.1,=f1.2,=f1.3
        count                                                     3
        import f3 start cash/-4:Coffee cash/-4:coffee cash/-4:coffee   =f1.1,=f1.2,new
        count                                                     4
        import f4 start cash/-4:tea cash/-5:coffee                new,new
    ";

    hand_written_entries_count_as_twins: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        expense e1 cash 4 for=food payee=coffee                   ok
        expense e2 cash 4 for=food payee=COFFEE                   ok
        import f1 start cash/-4:coffee cash/-4:coffee cash/-4:coffee   =e1,=e2,new
        expense e3 cash 4 for=food payee=coffee                   ok
        # A removed entry stands for no line, a corrected one for the line it now tells of.
        remove e1                                                 ok
        import f2 start cash/-4:coffee cash/-4:coffee cash/-4:coffee   =e2,=e3,=f1.3
        correct e2 payee=tea                                      ok
        correct e3 amount=5                                       ok
        import f3 start cash/-4:coffee cash/-4:coffee cash/-4:tea cash/-5:coffee   =f1.3,new,=e2,=e3
        restore e1                                                ok
        import f4 start cash/-4:coffee cash/-4:coffee cash/-4:coffee   =e1,=f1.3,=f3.2
    ";

    an_imported_entry_is_known_again_however_it_was_corrected: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        import f1 start cash/-4:coffee                            new
        correct f1.1 payee=Ana amount=3 account=bank on=2026-01-01 ok
        import f2 start cash/-4:coffee                            =f1.1
        remove f1.1                                               ok
        import f3 start cash/-4:coffee                            new
    ";

    a_statement_comes_in_chunks: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 4 for=food payee=coffee                   ok
        import f1 start more cash/-4:coffee cash/-4:coffee        =e1,new
        import f1 start more cash/-4:coffee                       id_taken/id
        import f1 more cash/-4:coffee cash/-5:tea                 new,new
        import f1 more                                            nothing
        import f1 cash/-4:coffee                                  new
        count                                                     5
        import f1 cash/-4:coffee                                  import_finished
        import f1 start cash/-4:coffee                            import_finished
        # The same file again, cut elsewhere.
        import f2 start more cash/-4:coffee                       =e1
        import f2 more cash/-4:coffee cash/-4:coffee cash/-5:tea  =f1.2,=f1.3,=f1.4
        import f2 cash/-4:coffee                                  =f1.5
        count                                                     5
    ";

    one_file_sent_twice_at_once_is_taken_once: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        import f1 start more cash/-4:coffee                       new
        import f2 start more cash/-4:coffee                       =f1.1
        import f2 cash/-4:coffee                                  new
        import f1 cash/-4:coffee                                  =f2.2
        count                                                     2
    ";

    a_reverted_import_adds_its_lines_again: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 4 for=food payee=coffee                   ok
        import f1 start cash/-4:coffee cash/-4:coffee cash/-4:coffee cash/-5:tea   =e1,new,new,new
        balance cash                                              -17.00
        revert f1 at_most=2                                       2
        balance cash                                              -9.00
        revert f1 at_most=2                                       1,reverted
        revert f1                                                 import_reverted
        import f1 cash/-1:tea                                     import_finished
        balance cash                                              -4.00
        import f2 start cash/-4:coffee cash/-4:coffee cash/-4:coffee cash/-5:tea   =e1,new,new,new
        balance cash                                              -17.00
        # The entries of the first are still there to be restored, one by one.
        restore f1.4                                              ok
        balance cash                                              -22.00
    ";

    a_revert_leaves_what_was_removed_by_hand_and_takes_what_was_corrected: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        import f1 start more cash/-4:coffee cash/-5:tea           new,new
        revert f1                                                 import_unfinished
        import f1                                                 nothing
        remove f1.1                                               ok
        correct f1.2 account=bank                                 ok
        close bank                                                ok
        revert f1                                                 1,reverted
        count                                                     0
        balance bank                                              0.00
        import f2 start                                           nothing
        revert f2                                                 0,reverted
    ";

    refused_lines_are_named_and_the_others_taken: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        close bank                                                ok
        expense e1 cash 1 for=food                                ok
        import f1 start gold/-4:a ?date_unreadable bank/-4:a cash/-4:a cash/0:a   !unknown_account,!date_unreadable,!account_closed,new,!amount_not_positive
        import f2 start cash/-6:b@e1 cash/-6:b@e2 cash/-7:b@e2    !id_taken,new,!id_taken
        balance cash                                              -11.00
        # A line that was refused is tried again when its twin comes.
        import f3 start cash/-8:c@e1 cash/-8:c cash/-8:c          !id_taken,new,new
        archive food                                              ok
        import f4 start cash/-9:d cash/9:d                        !category_archived,new
    ";

    all_or_nothing_refuses_the_statement_for_one_line: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        import f1 start strict cash/-4:a gold/-4:b                import_refused
        import f1 start strict cash/-4:a ?date_unreadable         import_refused
        import f1 start strict cash/-4:a cash/-4:b@f1.1           import_refused
        count                                                     0
        import f1 start strict cash/-4:a cash/-4:b                new,new
        import f2 start strict cash/-4:a cash/-4:c                =f1.1,new
        import f3 start strict more cash/-5:a                     new
        import f3 strict gold/-5:b                                import_refused
        import f3 strict cash/-5:b                                new
    ";
}
