-- Which further layers of learning a decision switched on: what is left out of training and bars, the
-- probability made of verdicts, and the order that teaches most. Decisions made before this had all three.
ALTER TABLE learning_log ADD COLUMN windows BOOLEAN DEFAULT true;
ALTER TABLE learning_log ADD COLUMN probability BOOLEAN DEFAULT true;
ALTER TABLE learning_log ADD COLUMN telling BOOLEAN DEFAULT true;
