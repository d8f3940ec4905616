-- title: sets whose weight is not a number
-- severity: error
-- table: set_records
-- advice: no sum and no record can be told with it; the statement takes the weight away
-- fix: UPDATE public.set_records SET weight_kg = NULL WHERE weight_kg = 'NaN' AND unseeded(id);
SELECT id FROM set_records WHERE weight_kg = 'NaN'
