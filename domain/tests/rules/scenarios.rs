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
        transfer e1 cash 5 to=yen                                 field_missing/to_amount
        transfer e1 cash 5 to=bank to_amount=6                    field_not_allowed/to_amount
        transfer e1 cash 5 to=bank for=food                       field_not_allowed/category
        transfer e1 cash 5 to=bank for=food:5                     field_not_allowed/splits
        expense e1 cash 5 for=food to=bank                        field_not_allowed/to_account
        transfer e1 cash 5 to=bank                                ok
        correct e1 to=yen                                         field_missing/to_amount
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

    money_goes_through_the_conversion_account_where_currencies_differ: "
        book EUR                                                  ok
        account cash                                              ok
        account yen currency=JPY                                  ok
        category food                                             ok
        transfer t cash 5 to=yen to_amount=900                    ok
        entry t                                                   transfer:cash-5.00,yen+900,conversion+5.00,conversion-900
        balance yen                                               900
        correct t to_amount=950                                   ok
        balance yen                                               950
        expense e cash 5 for=food to_amount=5                     field_not_allowed/to_amount
    ";

    a_balanced_entry_says_its_postings: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        account yen currency=JPY                                  ok
        category food                                             ok
        category pay kind=income                                  ok
        balanced b legs=cash:-5+bank:-2+food:7                    ok
        entry b                                                   balanced:cash-5.00,bank-2.00,food+7.00
        balanced c legs=cash:-5+food:4                            postings_unbalanced/postings
        balanced c legs=cash:0+food:5                             amount_zero/postings/0/amount
        balanced c legs=cash:-5+yen:-5+food:5                     field_missing/postings/2/currency
        balanced c legs=cash:-5+yen:-5+food:5:EUR+food:5:JPY      ok
        balanced d legs=nothing                                   field_missing/postings
        balanced d legs=cash:-5:JPY+food:5                        currency_mismatch/postings/0/currency
        balanced d legs=food:-5+pay:5                             ok
        balanced f legs=cash:-5+food:5 for=food                   field_not_allowed/category
        correct b legs=cash:-5+food:5                             ok
        balance bank                                              0.00
    ";

    entries_are_sorted_anew_by_what_they_have_in_common: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category bread below=food                                 ok
        category home                                             ok
        category pay kind=income                                  ok
        expense e1 cash 5 for=food payee=shop                     ok
        expense e2 cash 5 for=bread payee=shop                    ok
        expense e3 cash 5 for=food:2+home:3 payee=other           ok
        income e4 cash 5 for=pay payee=shop                       ok
        recategorise home                                         field_missing/filter
        recategorise home in=gold                                 unknown_category/filter/category
        recategorise home account=gold                            unknown_account/filter/account
        recategorise gold in=food                                 unknown_category/category
        recategorise home payee=nobody                            nothing_to_change
        recategorise home payee=shop                              ok,2
        entry e1                                                  expense:cash-5.00,home+5.00
        entry e4                                                  income:cash+5.00,pay-5.00
        recategorise home in=food                                 ok,1
        entry e3                                                  expense:cash-5.00,home+2.00,home+3.00
        undo 12                                                   ok
        entry e3                                                  expense:cash-5.00,food+2.00,home+3.00
        undo 11                                                   ok
        entry e2                                                  expense:cash-5.00,bread+5.00
    ";

    many_entries_are_too_many_to_sort_anew_at_once: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category home                                             ok
        many e 10001                                              ok
        recategorise home in=food                                 too_many_entries
    ";

    a_category_is_merged_into_another: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category bread below=food                                 ok
        category home                                             ok
        category pay kind=income                                  ok
        expense e1 cash 5 for=food                                ok
        expense e2 cash 5 for=food                                ok
        remove e2                                                 ok
        merge food into=pay                                       category_kind_mismatch/into
        merge food into=bread                                     category_cycle/into
        merge food into=food                                      category_cycle/into
        merge food into=gold                                      unknown_category/into
        merge gold into=food                                      category_not_found
        merge food into=home                                      ok,2
        category? food                                            merged:home
        path bread                                                home>bread
        entry e2                                                  removed:expense:cash-5.00,home+5.00
        merge food into=home                                      category_archived
        undo 10                                                   ok
        category? food                                            food
        path bread                                                food>bread
        entry e1                                                  expense:cash-5.00,food+5.00
        undo 11                                                   ok
        category? food                                            merged:home
        # Taken into use again it is what it was; undoing that, it is merged again.
        unarchive food                                            ok
        category? food                                            food
        undo 13                                                   ok
        category? food                                            merged:home
        category wares below=home                                 ok
        category bread2 name=bread below=wares                    ok
        merge home into=wares                                     category_cycle/into
        unarchive food                                            ok
        merge wares into=home                                     name_taken/into
    ";

    a_bulk_is_taken_whole_or_each_for_itself: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        bulk all                                                  field_missing/entries
        bulk all e1/cash/5/food e2/gold/5/food e3/cash/0/food     bulk_refused:1!unknown_account/account,2!amount_not_positive/amount
        bulk all e1/cash/5/food e1/cash/5/food                    bulk_refused:1!id_taken/id
        bulk all e1/cash/5/food unreadable                        bulk_refused:1!field_missing/amount
        count                                                     0
        bulk each e1/cash/5/food e2/gold/5/food e1/cash/6/food    1,1!unknown_account/account,2!id_taken/id
        bulk each e1/cash/5/food                                  bulk_refused:0!id_taken/id
        bulk each e2/cash/5/food unreadable                       1,1!field_missing/amount
        bulk all e3/cash/5/food e4/cash/5/food                    ok
        balance cash                                              -20.00
        # All of a bulk goes with one undoing, and comes back with one.
        undo 6                                                    ok
        balance cash                                              -10.00
        undo 7                                                    ok
        balance cash                                              -20.00
    ";

    a_bulk_does_not_overstep_a_balance: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        hoard e cash -92233720368547758.00                        ok
        bulk all s/cash/0.05/food t/cash/0.05/food                bulk_refused:1!balance_out_of_range/amount
        bulk each s/cash/0.05/food t/cash/0.05/food               1,1!balance_out_of_range/amount
        balance cash                                              -92233720368547758.05
    ";

    members_are_invited_and_accept_once: "
        book EUR                                                  ok
        invite i1 editor                                          ok
        invite i1 viewer                                          id_taken/id
        eddy: change-book name=Mine                               book_not_found
        eddy: accept i1                                           ok
        role eddy                                                 editor
        vera: accept i1                                           invitation_invalid
        vera: accept i9                                           invitation_invalid
        invite i2 viewer                                          ok
        eddy: accept i2                                           already_member
        vera: accept i2 on=2026-11-30                             invitation_invalid   # at the instant it ends
        vera: accept i2 on=2026-11-29                             ok
        invite i3 viewer                                          ok
        withdraw i3                                               ok
        withdraw i3                                               invitation_invalid
        withdraw i9                                               invitation_not_found
        tom: accept i3                                            invitation_invalid
        eddy: invite i4 viewer                                    role_forbids
        vera: withdraw i2                                         role_forbids
        stranger: withdraw i2                                     book_not_found
        invite k viewer times=100                                 ok
        invite j viewer                                           limit_reached
    ";

    roles_change_and_a_book_always_has_an_owner: "
        book EUR                                                  ok
        member eddy editor                                        ok
        member vera viewer                                        ok
        change-member olga editor                                 last_owner
        remove-member olga                                        last_owner
        change-member stranger editor                             member_not_found
        remove-member stranger                                    member_not_found
        change-member eddy editor                                 nothing_to_change
        eddy: change-member vera editor                           role_forbids
        eddy: remove-member vera                                  role_forbids
        vera: remove-member eddy                                  role_forbids
        vera: remove-member vera                                  ok
        role vera                                                 none
        vera: remove-member vera                                  book_not_found
        change-member eddy owner                                  ok
        change-member olga viewer                                 ok
        olga: change-book name=Mine                               role_forbids
        eddy: remove-member eddy                                  last_owner
        olga: remove-member olga                                  ok
        olga: change-book name=Mine                               book_not_found
    ";

    members_are_undone_by_owners_and_never_the_last_one: "
        book EUR                                                  ok
        member eddy editor                                        ok
        invite i1 viewer                                          ok
        vera: accept i1                                           ok
        change-member eddy owner                                  ok
        change-member olga editor                                 ok
        # Eddy owns the book alone: what made him owner cannot go, and the editors cannot take it back.
        olga: undo 5                                              role_forbids
        eddy: undo 5                                              last_owner
        eddy: undo 6                                              ok
        role olga                                                 owner
        eddy: undo 5                                              ok
        role eddy                                                 editor
        # An invitation that was used stays used.
        undo 4                                                    ok
        role vera                                                 none
        invitation i1                                             accepted
        vera: accept i1                                           invitation_invalid
        undo 9                                                    ok
        role vera                                                 viewer
        change-member vera editor                                 ok
        undo 4                                                    undo_conflicts:11
        remove-member vera                                        ok
        undo 12                                                   ok
        role vera                                                 editor
        invite i2 viewer                                          ok
        undo 14                                                   ok
        tom: accept i2                                            invitation_invalid
        undo 15                                                   ok
        tom: accept i2                                            ok
        undo 14                                                   undo_conflicts:17
    ";

    an_undoing_takes_back_one_commit_and_leaves_the_others: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        category home                                             ok
        expense e1 cash 5 for=food payee=shop                     ok
        correct e1 payee=market                                   ok
        correct e1 for=home                                       ok
        correct e1 amount=6                                       ok
        undo 7                                                    ok
        entry e1                                                  expense:cash-6.00,food+6.00
        undo 6                                                    ok
        payee e1                                                  shop
        undo 8                                                    ok
        balance cash                                              -5.00
        undo 7                                                    already_undone
        undo 9                                                    ok
        entry e1                                                  expense:cash-5.00,home+5.00
        undo 9                                                    already_undone
        undo 12                                                   ok
        entry e1                                                  expense:cash-5.00,food+5.00
        undo 7                                                    already_undone
        undo 99                                                   version_unknown
        undo 0                                                    version_unknown
        undo 1                                                    commit_not_undoable
        vera: undo 5                                              book_not_found
    ";

    what_was_written_again_stands_in_the_way: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 5 for=food payee=one                      ok
        correct e1 payee=two                                      ok
        correct e1 payee=three                                    ok
        undo 5                                                    undo_conflicts:6
        undo 4                                                    undo_conflicts:5,6
        undo 6                                                    ok
        payee e1                                                  two
        undo 5                                                    ok
        payee e1                                                  one
        # What comes back stands on what it was written over: that has to come back first.
        undo 7                                                    undo_conflicts:8
        undo 8                                                    ok
        undo 7                                                    ok
        payee e1                                                  three
        undo 9                                                    undo_conflicts:10
    ";

    undoing_twice_and_back_in_another_order_changes_no_balance: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 5 for=food                                ok
        remove e1                                                 ok
        restore e1                                                ok
        undo 6                                                    ok
        undo 5                                                    ok
        balance cash                                              -5.00
        undo 7                                                    undo_conflicts:8
        balance cash                                              -5.00
        expense e2 cash 5 for=food                                ok
        correct e2 amount=7                                       ok
        undo 10                                                   ok
        undo 9                                                    ok
        balance cash                                              -5.00
        undo 11                                                   undo_conflicts:12
        balance cash                                              -5.00
    ";

    a_correction_of_what_was_removed_since_can_be_undone: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 5 for=food                                ok
        correct e1 amount=7                                       ok
        remove e1                                                 ok
        undo 5                                                    ok
        balance cash                                              0.00
        restore e1                                                ok
        balance cash                                              -5.00
    ";

    what_stands_on_a_thing_keeps_its_making_from_being_undone: "
        book EUR                                                  ok
        account cash opening=10 entry=o1                          ok
        category food                                             ok
        category bread below=food                                 ok
        expense e1 cash 5 for=bread                               ok
        undo 2                                                    undo_conflicts:5
        undo 4                                                    undo_conflicts:5
        undo 3                                                    undo_conflicts:4
        remove e1                                                 ok
        undo 2                                                    undo_conflicts:5
        undo 5                                                    undo_conflicts:6
        undo 6                                                    ok
        undo 5                                                    ok
        undo 2                                                    ok
        account? cash                                             none
        entry o1                                                  removed:opening_balance:cash+10.00,before-10.00
        account cash                                              id_taken/id
        expense e2 cash 5 for=bread                               unknown_account/account
        restore e1                                                unknown_account
        undo 8                                                    undo_conflicts:9
        undo 3                                                    undo_conflicts:4
        undo 4                                                    ok
        undo 3                                                    ok
        undo 9                                                    ok
        balance cash                                              10.00
        undo 10                                                   undo_conflicts:11
        restore e1                                                unknown_category
        undo 11                                                   ok
        category? bread                                           none
        undo 10                                                   ok
        restore e1                                                ok
        balance cash                                              5.00
        # Who restored it made it anew, so it stands on its account whoever added it.
        undo 2                                                    undo_conflicts:15
        undo 8                                                    undo_conflicts:15
    ";

    names_and_places_that_were_taken_since_stand_in_the_way: "
        book EUR                                                  ok
        account cash                                              ok
        change-account cash name=purse                            ok
        account bank name=cash                                    ok
        undo 3                                                    undo_conflicts:4
        category food                                             ok
        category bread                                            ok
        change-category bread below=food                          ok
        category rolls name=bread                                 ok
        undo 7                                                    undo_conflicts:8
        change-category rolls name=rolls                          ok
        undo 7                                                    ok
        change-category food below=bread                          ok
        undo 10                                                   undo_conflicts:11
        undo 11                                                   ok
        undo 10                                                   ok
        path bread                                                food>bread
    ";

    a_whole_statement_is_undone_with_all_its_commits: "
        book EUR                                                  ok
        account cash                                              ok
        category food                                             ok
        expense e1 cash 4 for=food payee=coffee                   ok
        import f1 start more cash/-4:coffee cash/-5:tea           =e1,new
        import f1 more cash/-6:a                                  new
        import f1 cash/-4:coffee                                  new
        balance cash                                              -19.00
        undo 6                                                    ok
        balance cash                                              -4.00
        revert f1                                                 import_reverted
        undo 5                                                    already_undone
        undo 8                                                    ok
        balance cash                                              -19.00
        correct f1.3 amount=7                                     ok
        undo 7                                                    undo_conflicts:14
        balance cash                                              -20.00
        revert f1 at_most=2                                       2
        revert f1                                                 1,reverted
        undo 6                                                    undo_conflicts:14,15,16
        undo 15                                                   ok
        balance cash                                              -20.00
        revert f1                                                 3,reverted
        undo 16                                                   already_undone
        undo 17                                                   undo_conflicts:19
        balance cash                                              -4.00
    ";

    an_import_that_brings_accounts_is_undone_with_them: "
        book EUR                                                  ok
        category food                                             ok
        start-import f1 account=cash category=home                ok
        import f1 more cash/-4:coffee                             new
        import f1 cash/-4:tea                                     new
        undo 4                                                    ok
        account? cash                                             none
        undo 6                                                    ok
        balance cash                                              -8.00
        start-import f2 account=bank category=old closed archived ok
        account? bank                                             closed:bank
        undo 12                                                   ok
        account? bank                                             none
        undo 13                                                   ok
        account? bank                                             closed:bank
        category? old                                             archived
    ";

    a_whole_book_goes_into_an_empty_one: "
        book EUR                                                  ok
        start-import f1 whole account=cash category=food          ok
        import f1 whole/e1@expense:cash-4.00,food+4.00            new
        start-import f2 whole                                     book_not_empty
        import f3 start whole/e2@expense:food+4.00,cash-4.00      new
        import f4 start whole/e3@expense:cash-4.00,cash+4.00      !field_not_allowed
        import f5 start whole/e4@income:cash-4.00,food+4.00       !category_kind_mismatch
        import f6 start whole/e5@refund:cash-4.00,food+4.00       !entry_invalid
        import f7 start whole/e6@expense:cash-4.00,food+4.00!     new
        entry e6                                                  removed:expense:cash-4.00,food+4.00
        balance cash                                              -8.00
    ";

    a_transfer_told_by_both_statements_is_one_entry: "
        book EUR                                                  ok
        account cash                                              ok
        account bank                                              ok
        category food                                             ok
        category pay kind=income                                  ok
        import f1 start cash>bank/-5:move                         new
        import f2 start bank>cash/5:move                          ~f1.1
        import f3 start bank/7:in                                 new
        import f4 start cash>bank/-7:out                          ~f3.1
        entry f3.1                                                transfer:cash-7.00,bank+7.00
        undo 9                                                    ok
        entry f3.1                                                income:bank+7.00,pay-7.00
        undo 10                                                   ok
        entry f3.1                                                transfer:cash-7.00,bank+7.00
        import f5 start bank/9:a bank/9:b                         new,new
        import f6 start cash>bank/-9:out                          !transfer_ambiguous
    ";
}
